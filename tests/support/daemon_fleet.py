"""Replicas of the daemon as processes, an emulator, and senders that repeat until acknowledged.

What was not acknowledged is sent again, as players and logs do, so in the end the platform must
have all that was sent.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import AIOKafkaProducer

from demo.processes import PATIENCE, free_port, stop
from demo.view import read_metrics
from pointsman.domain.records import Change
from pointsman.domain.targets import TargetKind
from tests.support.random_traffic import (
    Strike,
    Traffic,
    differences,
    executed,
    traffic_catalogue,
    unexplained_repeats,
)
from tests.support.warm_processes import WarmChild, warm_pointsman

KEY = "fleet-key"
_CONTENT = "https://content.example.com"
HEADERS = {
    "Authorization": "Basic " + base64.b64encode(b"user:secret").decode(),
    "X-Experience-API-Version": "1.0.3",
}
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_CONFIG = """
allow_weak_secrets = true
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = {delay}
drain_seconds = 5
{shared}
[store]
url = "{store}"
connections = 4
retention_days = {retention}
[platform]
url = "{platform}"
api_key = "{key}"
timeout_seconds = {timeout}
[platform.limits]
requests_per_minute = {requests}
share = {share}
[delivery]
lease_seconds = {lease}
retry_max_seconds = 10
max_failures = 1000
progress_interval_seconds = {interval}
[audit]
enabled = false
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
{kafka}
[learners.tokens]
file = "tokens.json"
[[rules]]
activity = "{content}/topics/{{topic}}"
topic_id = "{{topic}}"
[[rules]]
activity = "{content}/courses/{{course}}"
course_slug = "{{course}}"
course_completed = "completed"
[[rules]]
activity = "{content}/paths/{{path}}"
learning_path_slug = "{{path}}"
[[rules]]
activity = "{content}/meetings/{{meeting}}"
meeting_id = "{{meeting}}"
[[rules]]
activity = "{content}/archive/{{course}}"
course_id = "{{course}}"
course_started = false
"""
_SHARED = """
reuse_port = true
[http.operator]
port = {port}
"""
_KAFKA = """
[[sources.kafka]]
name = "log"
bootstrap_servers = ["{servers}"]
topics = ["{topic}"]
group_id = "{topic}"
session_timeout_seconds = 2
"""
_VERBS = {
    "started": "initialized",
    "completed": "completed",
    "not-completed": "abandoned",
    "attended": "attended",
    "not-attended": "registered",
    "archived": "archived",
    "active": "reinstated",
}


def statement(who: str, change: Change) -> dict[str, Any]:
    """What a player would have said for this change."""
    key, value = change.target.key, change.value
    folder, name = {
        TargetKind.TOPIC_PROGRESS: ("topics", key),
        TargetKind.COURSE_STATUS: ("courses", key.removeprefix("slug:")),
        TargetKind.LEARNING_PATH_ACCESS: ("paths", key),
        TargetKind.MEETING_ATTENDANCE: ("meetings", change.recipient.id),
        TargetKind.COURSE_ARCHIVED: ("archive", key),
    }[change.target.kind]
    made: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat(),
        "actor": {"mbox": f"mailto:{who}"},
        "object": {"id": f"{_CONTENT}/{folder}/{name}"},
    }
    verb = "progressed" if isinstance(value, int) else _VERBS[value]
    made["verb"] = {"id": f"http://adlnet.gov/expapi/verbs/{verb}"}
    if isinstance(value, int):
        made["result"] = {"extensions": {_PROGRESS: value}}
    return made


@dataclass(slots=True)
class Replica:
    """One process; `url` is its endpoint, `operator_url` has its probes and metrics."""

    config: Path
    log: Path
    port: int
    operator_port: int
    process: WarmChild

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def operator_url(self) -> str:
        return f"http://127.0.0.1:{self.operator_port}"


@dataclass(slots=True)
class Fleet:
    """Use `a_fleet`."""

    folder: Path
    platform: str
    learners: int
    settings: dict[str, Any]
    kafka: tuple[str, str] | None = None
    #: that all of them listen on; none: each has its own
    shared_port: int | None = None
    replicas: list[Replica] = field(default_factory=list)

    def add(self, *, dies: tuple[str, int] | None = None) -> Replica:
        """One more replica; it `dies` at a step, the n-th time."""
        number, own = len(self.replicas), free_port()
        port = self.shared_port or own
        config = self.folder / f"replica-{number}.toml"
        config.write_text(
            _CONFIG.format(
                port=port,
                shared=_SHARED.format(port=own) if self.shared_port else "",
                platform=self.platform,
                key=KEY,
                content=_CONTENT,
                kafka=_KAFKA.format(servers=self.kafka[0], topic=self.kafka[1])
                if self.kafka
                else "",
                **self.settings,
            )
        )
        log = self.folder / f"replica-{number}.log"
        replica = Replica(config, log, port, own, _start(config, log, dies))
        self.replicas.append(replica)
        return replica

    def restart(self, replica: Replica) -> None:
        """The process has ended; the same one begins anew."""
        replica.process.wait()
        replica.process = _start(replica.config, replica.log, None)

    async def ready(self, replica: Replica) -> None:
        """Until it takes statements; a process that ends first is no error here."""
        deadline = time.monotonic() + PATIENCE
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < deadline and replica.process.poll() is None:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{replica.operator_url}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)
        if replica.process.poll() is None:
            raise RuntimeError(f"not ready: {replica.log.read_text()[-3000:]}")

    def close(self) -> list[int]:
        """End all of them; their exit codes."""
        for replica in self.replicas:
            replica.process.send_signal(signal.SIGCONT)
        return [stop(replica.process) for replica in self.replicas]

    async def log_in(self) -> None:
        """A token for each learner, written where the replicas look."""
        known = {}
        async with aiohttp.ClientSession() as session:
            for number in range(self.learners):
                email = f"l{number}@example.com"
                if token := await login(session, self.platform, email):
                    known[email] = {"authToken": token, "userId": f"u{number}"}
        write_tokens(self.folder / "tokens.json", known)

    async def post(self, session: aiohttp.ClientSession, made: dict[str, Any]) -> None:
        """To any replica, until one has acknowledged it."""
        number = hash(made["id"])
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            replica = self.replicas[number % len(self.replicas)]
            number += 1
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.post(
                    f"{replica.url}/xapi/statements",
                    headers=HEADERS,
                    json=made,
                    timeout=aiohttp.ClientTimeout(total=30),
                ) as answer:
                    if answer.status in {200, 204}:  # 204: it was here already
                        return
                    if answer.status < 500:
                        raise RuntimeError(f"HTTP {answer.status}: {await answer.text()}")
            await asyncio.sleep(0.1)
        raise RuntimeError(f"nobody took statement {made['id']}")

    async def produce(self, producer: AIOKafkaProducer, made: dict[str, Any]) -> None:
        assert self.kafka is not None
        await producer.send(self.kafka[1], json.dumps(made).encode(), key=made["id"].encode())

    async def drained(self, sent: int, patience: float = PATIENCE) -> dict[str, Any]:
        """Until all statements are in the books and all state is delivered; the books."""
        deadline = time.monotonic() + patience
        while True:
            late = time.monotonic() > deadline
            if late or await self._looks_delivered():
                books = await asyncio.to_thread(self.verify)
                done = books["inputs"]["accepted"] >= sent and not books["desired"]["dirty"]
                if done and not books["desired"]["parked"]:
                    return books
                if late:
                    raise RuntimeError(f"{sent} sent, not delivered after {patience:g} s: {books}")
            await asyncio.sleep(0.2)

    async def _looks_delivered(self) -> bool:
        """What any replica's metrics say, which costs less than asking for the books."""
        async with aiohttp.ClientSession() as session:
            for replica in self.replicas:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    numbers = await asyncio.wait_for(
                        read_metrics(session, replica.operator_url), 20
                    )
                    return not numbers["pointsman_desired"]
        return False

    def verify(self) -> dict[str, Any]:
        config = self.replicas[0].config
        with tempfile.NamedTemporaryFile("r", suffix=".json") as output:
            command = ["pointsman", "verify", "--json", "--config", str(config)]
            WarmChild(command, Path(output.name)).wait()
            printed = output.read()
        try:
            books: dict[str, Any] = json.loads(printed)
        except ValueError:
            raise RuntimeError(printed) from None
        return books

    async def state(self) -> dict[str, Any]:
        """The platform's, with history."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.platform}/emulator/state", params={"history": "1"}) as answer,
        ):
            found: dict[str, Any] = await answer.json()
            return found


@contextlib.contextmanager
def a_fleet(
    folder: Path,
    learners: int,
    *,
    store: str = "sqlite:///pointsman.db",
    requests: int = 6_000,
    share: float = 0.8,
    interval: float = 0.5,
    retention: float = 365,
    lease: float = 4,
    timeout: float = 2,
    delay: float = 0,
    kafka: tuple[str, str] | None = None,
    emulate: Sequence[str] = (),
    share_port: bool = False,
) -> Iterator[Fleet]:
    """An emulator with `requests` a minute and no replicas yet; all is ended with the block."""
    port = free_port()
    platform = f"http://127.0.0.1:{port}"
    write_catalogue(folder / "catalogue.toml", learners)
    settings = {
        "store": store,
        "requests": requests,
        "share": share,
        "interval": interval,
        "retention": retention,
        "lease": lease,
        "timeout": timeout,
        "delay": delay,
    }
    with warm_pointsman(
        [
            *("emulate", "--port", str(port), "--api-key", KEY),
            *("--catalogue", str(folder / "catalogue.toml")),
            *("--requests-per-minute", str(requests), *emulate),
        ],
        folder / "emulator.log",
        f"{platform}/emulator/state",
    ):
        shared = free_port() if share_port else None
        fleet = Fleet(folder, platform, learners, settings, kafka, shared)
        write_tokens(folder / "tokens.json", {})
        try:
            yield fleet
        finally:
            fleet.close()


def verdict(state: dict[str, Any], traffic: Traffic) -> list[str]:
    """All that is not as it must be, in words. Repeats are not judged: a kill explains them."""
    found = [*differences(state["learners"], traffic.expected)]
    if rejected := state["totals"]["rejected_429"]:
        found.append(f"{rejected} requests over the quota")
    return found


def repeats(state: dict[str, Any], traffic: Traffic) -> list[str]:
    """Mutations that ran again without a fault that explains it."""
    strikes = [Strike(number, kind) for number, kind in state["strikes"]]
    return unexplained_repeats(list(executed(state["history"])), strikes, traffic)


def _start(config: Path, log: Path, dies: tuple[str, int] | None) -> WarmChild:
    module = ["pointsman"] if dies is None else ["tests.support.crash_at", dies[0], str(dies[1])]
    return WarmChild([*module, "run", "--config", str(config)], log)


async def login(session: aiohttp.ClientSession, platform: str, email: str) -> str | None:
    """A fresh token; None when a fault struck."""
    query = 'mutation L($e: String!) { Login(email: $e, password: "demo") }'
    with contextlib.suppress(aiohttp.ClientError):
        async with session.post(
            f"{platform}/helium",
            params={"apiKey": KEY},
            json={"query": query, "variables": {"e": email}},
        ) as answer:
            data = (await answer.json(content_type=None)).get("data") or {}
            token: str | None = data.get("Login")
            return token
    return None


def write_tokens(path: Path, known: dict[str, Any]) -> None:
    """Add these; the file is replaced as a whole."""
    before = json.loads(path.read_bytes()) if path.exists() else {}
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({**before, **known}), encoding="utf-8")
    beside.replace(path)


def write_catalogue(path: Path, learners: int) -> None:
    """The catalogue of random traffic, as a file."""
    found = traffic_catalogue(learners).model_dump(mode="json", exclude_defaults=True)
    lines: list[str] = []
    for section, entries in found.items():
        for entry in entries:
            lines.append(f"[[{section}]]")
            lines += [f"{key} = {_toml(value)}" for key, value in entry.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {_toml(one)}" for key, one in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)
