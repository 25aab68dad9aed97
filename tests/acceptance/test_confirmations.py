"""One daemon and one emulated platform over HTTP: what is delivered is confirmed by the platform.

Webhooks get lost and the feed brings the rest, also after SIGKILL in the middle of it; what an
administrator resets is shown and not overwritten; what the platform forgets is sent once more, and
then parked; what nobody signed, and what is too old, is refused and counted.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from demo.processes import PATIENCE, answers, free_port, stop, wait_until_up
from demo.view import Numbers, read_metrics
from tests.support.daemon_fleet import HEADERS
from tests.support.warm_processes import WarmChild, warm_pointsman

KEY = "the-platforms-key"
SECRET = "an-endpoints-secret-1"
LEARNERS = 40
#: of them, those who complete the course in the first part
FIRST = 36
_CONFIG = """
allow_weak_secrets = true
[http]
host = "127.0.0.1"
port = {daemon}
drain_delay_seconds = 0
[store]
url = "sqlite:///pointsman.db"
[platform]
url = "http://127.0.0.1:{emulator}/helium"
api_key = "{key}"
[delivery]
progress_interval_seconds = 0
[audit]
requests_per_minute = 10_000
settle_seconds = 0
again_after_hours = 0.0001
suspect_seconds = 1
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[learners.tokens]
file = "tokens.json"
[[confirmations]]
name = "academy"
secret = "{secret}"
[confirmations.feed]
poll_seconds = 1
requests_per_minute = 1_000
overlap_seconds = 30
[[rules]]
activity = "https://content.example.com/courses/{{course}}"
course_slug = "{{course}}"
audit_course_id = "course-{{course}}"
course_completed = "completed"
"""


@dataclass
class World:
    """Both processes, and what a test does to them and sees of them."""

    folder: Path
    daemon: str
    platform: str
    session: aiohttp.ClientSession
    process: WarmChild

    def start(self) -> None:
        self.process = WarmChild(_run(self.folder), self.folder / "daemon.log")
        wait_until_up(self.process, lambda: answers(f"{self.daemon}/readyz"))

    async def complete(self, *numbers: int) -> None:
        """These learners complete the course; what is not acknowledged is sent again."""
        statements = [
            {
                "id": str(uuid.uuid4()),
                "actor": {"mbox": f"mailto:{email(number)}"},
                "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
                "object": {"id": "https://content.example.com/courses/safety"},
                "timestamp": datetime.now(UTC).isoformat(),
            }
            for number in numbers
        ]
        async with self.session.post(
            f"{self.daemon}/xapi/statements", headers=HEADERS, json=statements
        ) as answer:
            assert answer.status == 200, await answer.text()

    async def control(self, method: str, path: str, body: object = None) -> Any:
        """What the emulator's control interface answers."""
        async with self.session.request(
            method, f"{self.platform}{path}", params={"apiKey": KEY}, json=body
        ) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def administer(self, action: str, number: int) -> None:
        body = {"learner": email(number), "course": "safety"}
        await self.control("POST", f"/emulator/admin/{action}", body)

    async def shown(self, number: int) -> str | None:
        """The status of the course on the platform."""
        state = await self.control("GET", "/emulator/state")
        course = state["learners"][email(number)]["courses"].get("safety")
        return None if course is None else course["status"]

    async def sent(self, number: int) -> int:
        """How often the course was completed for the learner, by request."""
        state = await self.control("GET", "/emulator/state?history=1")
        names = [(one["name"], one["learner"]) for one in state["history"]]
        return names.count(("UpdateCourseStatus", email(number)))

    async def hook(self, body: bytes, secret: str = SECRET) -> int:
        """The daemon's answer to a webhook."""
        signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
        async with self.session.post(
            f"{self.daemon}/confirmations/academy",
            data=body,
            headers={"X-TI-Signature": signature},
        ) as answer:
            return answer.status

    async def metrics(self) -> Numbers:
        return await read_metrics(self.session, self.daemon)

    def facts(self, fact: str) -> dict[str, str]:
        """Who told it, by learner."""
        path = self.folder / "pointsman.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            query = "SELECT learner, source FROM confirmations WHERE fact = ?"
            return dict(store.execute(query, (fact,)).fetchall())

    def audit(self, number: int) -> str:
        """What the audit found last of the learner's course."""
        path = self.folder / "pointsman.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            query = "SELECT audit FROM desired WHERE learner = ?"
            row = store.execute(query, (email(number),)).fetchone()
            return str(row[0])

    async def until(self, ready: Callable[[], Any], what: str) -> None:
        """Wait for a sign, which may be awaitable."""
        deadline = time.monotonic() + PATIENCE
        while True:
            result = ready()
            if await result if asyncio.iscoroutine(result) else result:
                return
            assert self.process.poll() is None, (self.folder / "daemon.log").read_text()[-3000:]
            assert time.monotonic() < deadline, f"{what}: {self.log()}"
            await asyncio.sleep(0.02)

    def log(self) -> str:
        return (self.folder / "daemon.log").read_text()[-3000:]


def email(number: int) -> str:
    return f"l{number}@example.com"


def _run(folder: Path) -> list[str]:
    return ["pointsman", "run", "--config", str(folder / "pointsman.toml")]


def _catalogue() -> str:
    learners = [
        f'[[learners]]\nid = "u{number}"\nemail = "{email(number)}"\npassword = "demo"\n'
        for number in range(LEARNERS)
    ]
    course = '[[courses]]\nid = "course-safety"\nslug = "safety"\ntitle = "Safety"\n'
    return "".join(learners) + course + "certificate_after_seconds = 0\n"


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    daemon, emulator = free_port(), free_port()
    platform = f"http://127.0.0.1:{emulator}"
    (folder / "catalogue.toml").write_text(_catalogue())
    (folder / "pointsman.toml").write_text(
        _CONFIG.format(daemon=daemon, emulator=emulator, key=KEY, secret=SECRET)
    )
    emulate = [
        *("emulate", "--port", str(emulator), "--api-key", KEY, "--seed", "3"),
        *("--catalogue", str(folder / "catalogue.toml"), "--feed-per-page", "5"),
        *("--rest-requests-per-minute", "100000", "--requests-per-minute", "100000"),
        *("--webhook-url", f"http://127.0.0.1:{daemon}/confirmations/academy"),
        *("--webhook-secret", SECRET, "--fault", "kind=lose_webhook,chance=0.2"),
    ]
    log = folder / "emulator.log"
    with warm_pointsman(emulate, log, f"{platform}/emulator/state"):
        async with aiohttp.ClientSession() as session:
            tokens = {}
            query = 'mutation L($e: String!) { Login(email: $e, password: "demo") }'
            for number in range(LEARNERS):
                async with session.post(
                    f"{platform}/helium",
                    params={"apiKey": KEY},
                    json={"query": query, "variables": {"e": email(number)}},
                ) as answer:
                    tokens[email(number)] = (await answer.json())["data"]["Login"]
            (folder / "tokens.json").write_text(json.dumps(tokens))
            process = WarmChild(_run(folder), folder / "daemon.log")
            try:
                started = World(folder, f"http://127.0.0.1:{daemon}", platform, session, process)
                wait_until_up(process, lambda: answers(f"{started.daemon}/readyz"))
                yield started
            finally:
                stop(started.process)


async def test_what_is_delivered_is_confirmed_and_what_is_changed_there_is_not_fought(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as one:
        await _lost_webhooks_and_a_kill_in_the_feed(one)
        await _a_reset_is_shown_and_not_overwritten(one)
        await _a_drift_is_sent_once_more_and_then_parked(one)
        await _what_is_not_the_platforms_is_refused(one)


async def _lost_webhooks_and_a_kill_in_the_feed(one: World) -> None:
    everybody = {email(number) for number in range(FIRST)}
    slow = await one.control("POST", "/emulator/faults", {"kind": "slow_rest", "seconds": 0.3})
    await one.complete(*range(FIRST))
    await one.until(lambda: "feed" in one.facts("completed").values(), "a page of the feed")
    one.process.kill()
    one.process.wait()
    await one.control("DELETE", f"/emulator/faults/{slow['id']}")
    one.start()
    await one.until(lambda: everybody == one.facts("completed").keys(), "all are confirmed")
    await one.until(lambda: everybody == one.facts("certificate").keys(), "all certificates")
    assert set(one.facts("completed").values()) >= {"webhook", "feed"}
    assert (await one.control("GET", "/emulator/faults"))["struck"]["lose_webhook"] > 0


async def _a_reset_is_shown_and_not_overwritten(one: World) -> None:
    before = await one.sent(0)
    await one.administer("reset", 0)
    await one.until(lambda: email(0) in one.facts("progress_reset"), "the reset is known")
    # whoever comes after has passed delivery and audit
    await one.complete(FIRST)
    await one.until(lambda: email(FIRST) in one.facts("completed"), "the next one is confirmed")
    await one.until(lambda: one.audit(FIRST) == "agrees", "the next one is audited")
    assert await one.shown(0) is None
    assert await one.sent(0) == before


async def _a_drift_is_sent_once_more_and_then_parked(one: World) -> None:
    before = await one.sent(1)

    async def is_parked() -> bool:
        # again and again: what the audit sees in between would be no drift
        await one.administer("forget", 1)
        return one.audit(1) == "drift"

    await one.until(is_parked, "it is parked")
    sent = await one.sent(1)
    assert sent > before
    # whoever comes after has passed delivery
    await one.complete(FIRST + 1)
    await one.until(lambda: email(FIRST + 1) in one.facts("completed"), "the next one is confirmed")
    assert await one.sent(1) == sent


async def _what_is_not_the_platforms_is_refused(one: World) -> None:
    def envelope(learner: str, at: datetime) -> bytes:
        data = {"user": {"email": learner}, "course": {"id": "course-safety"}}
        event = {"event": "course.completed", "timestamp": at.isoformat(), "data": data}
        return json.dumps(event).encode()

    now = datetime.now(UTC)
    fresh = envelope(email(0), now)
    assert await one.hook(fresh, "another-endpoints-secret") == 401
    assert await one.hook(envelope(email(0), now - timedelta(days=3))) == 400
    known = one.facts("completed")
    for _ in range(3):
        assert await one.hook(envelope("nobody@example.com", now)) == 204
    assert await one.hook(envelope(email(2), now - timedelta(hours=1))) == 204
    assert one.facts("completed") == known
    numbers = await one.metrics()
    assert numbers["pointsman_confirmations_total:unknown"] >= 3
    assert numbers["pointsman_confirmations_total:repeated"] >= 1
    assert numbers["pointsman_confirmations_refused_total"] == 2
