"""The log alone says for each trouble what is wrong and what to do; once, not in a flood."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import resource
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from demo.processes import PATIENCE, free_port
from pointsman.domain.clock import SystemClock
from pointsman.emulator import Emulator, builtin_catalogue
from pointsman.emulator.faults import Faults, fault_from_text
from pointsman.telemetry.logs import LEARNER_HASHES
from tests.support.running_daemon import API_KEY, Running, running

Line = MutableMapping[str, Any]
ANA = "ana@example.com"
RULE = """
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""
_STATEMENTS = 6


def emulator(*faults: str, key: str = API_KEY) -> Emulator:
    return Emulator(
        builtin_catalogue(),
        api_key=key,
        clock=SystemClock(),
        faults=Faults([fault_from_text(fault) for fault in faults]),
    )


@asynccontextmanager
async def logged(folder: Path, **more: Any) -> AsyncIterator[tuple[Running, list[Line]]]:
    """A daemon and the lines that it writes from now on."""
    with capture_logs() as lines:
        async with running(folder, RULE, **more) as world:
            lines.clear()
            yield world, lines
            # as the end of the chain writes them, whatever the trouble was
            written = str([LEARNER_HASHES(None, "", dict(line)) for line in lines])
            assert "@example.com" not in written


def alarming(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["log_level"] in {"warning", "error"}]


async def statements(world: Running, who: str = ANA, host: str = "content.example.com") -> None:
    """Of as many topics, one after the other."""
    for number in range(1, _STATEMENTS + 1):
        await world.say("completed", f"https://{host}/topic_demo_{number}", who)


@dataclass(frozen=True)
class Trouble:
    level: str
    #: of what the line has, by its key
    has: dict[str, str]
    #: what the person is told to do
    next: str
    tokens: str = 'file = "tokens.json"'
    who: str = ANA
    host: str = "content.example.com"
    platform: Callable[[], Emulator] = emulator
    #: how many deliveries come to it, at least
    lines: int = _STATEMENTS


TROUBLES = {
    "no token": Trouble(
        "warning",
        {"event": "delivery", "learner": "nobody@example.com", "words": "has none for"},
        "give the learner an authToken where learners.tokens says",
        who="nobody@example.com",
    ),
    "token refused": Trouble(
        "warning",
        {"event": "delivery", "answer": "token_refused", "words": "UNAUTHENTICATED"},
        "give the learner a new authToken",
        tokens='inline = { "ana@example.com" = "of yesterday" }',
        lines=1,  # the rest of her state waits with it
    ),
    "wrong apiKey": Trouble(
        "error",
        {"event": "delivery", "answer": "key_refused", "words": "(HTTP 401)"},
        "correct platform.api_key, then `pointsman reload`",
        platform=lambda: emulator(key="another"),
        lines=2,
    ),
    "no rule": Trouble(
        "warning",
        {
            "event": "no rule takes a statement",
            "source": "players",
            "activity": "https://elsewhere.example.com/topic_demo_1",
        },
        "`pointsman unmatched` proposes some",
        host="elsewhere.example.com",
        lines=0,
    ),
    "platform away": Trouble(
        "warning",
        {"event": "delivery", "answer": "unreachable", "words": "no answer from the platform"},
        "is platform.url right, and the platform up?",
        platform=lambda: emulator("kind=drop_before,times=4"),
        lines=4,
    ),
    "quota spent": Trouble(
        "warning",
        {"event": "delivery", "answer": "throttled", "words": "(HTTP 429)"},
        "lower platform.limits.share",
        platform=lambda: emulator("kind=throttle,times=3,retry_after=0"),
        lines=3,
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_a_trouble_has_one_line_with_its_level_and_the_next_step(
    tmp_path: Path, trouble: Trouble
) -> None:
    async with logged(tmp_path, tokens=trouble.tokens, emulator=trouble.platform()) as (
        world,
        lines,
    ):
        await statements(world, trouble.who, trouble.host)
        answer = trouble.has.get("answer")
        await world.until(
            lambda: (
                len([line for line in lines if line.get("answer") == answer]) >= trouble.lines
                if answer
                else bool(alarming(lines))
            )
        )

    (line,) = (line for line in alarming(lines) if line["event"] == trouble.has["event"])
    others = [other["event"] for other in alarming(lines) if other is not line]
    assert others in ([], ["the platform's state changed"])
    assert line["log_level"] == trouble.level
    for key, words in trouble.has.items():
        assert words in str(line[key])
    assert trouble.next in line["next"]


@pytest.mark.parametrize("fault", ["kind=drop_before,times=4", "kind=throttle,times=2"])
async def test_a_recovery_is_no_alarm(tmp_path: Path, fault: str) -> None:
    async with logged(tmp_path, emulator=emulator(fault)) as (world, lines):
        await statements(world)
        await world.until(lambda: any("takes requests again" in line["event"] for line in lines))

    (over,) = (line for line in lines if "takes requests again" in line["event"])
    assert over["log_level"] == "info"
    assert over["was"] in {"unreachable", "throttled"}


@dataclass(frozen=True)
class Refusal:
    status: int
    reason: str
    next: str
    secret: str = "secret"
    statement: dict[str, Any] | None = None
    route: str = "/xapi/statements"


def said(**more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "actor": {"mbox": f"mailto:{ANA}"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/progressed"},
        "object": {"id": "https://content.example.com/topic_demo_1"},
        **more,
    }


PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
ONE_ID = str(uuid.uuid4())
REFUSALS = [
    Refusal(400, "verb.id", "the sender has to correct it", statement=said(verb={"id": "no IRI"})),
    Refusal(
        400,
        f"result.extensions[{PROGRESS}] must be a number from 0 to 100, not '170'",
        "the sender has to correct it",
        statement=said(result={"extensions": {PROGRESS: 170}}),
    ),
    Refusal(401, "the credentials are not known here", "`credentials`", secret="wrong"),
    Refusal(
        409,
        "already stored with different content",
        "new UUID",
        statement=said(id=ONE_ID, result={"success": True}),
    ),
    Refusal(
        413, "a body may have", "http.max_body_bytes", statement=said(x="x" * (11 * 1024 * 1024))
    ),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: str(refusal.status))
async def test_a_refusal_has_one_line_with_source_reason_and_what_to_do(
    tmp_path: Path, refusal: Refusal
) -> None:
    async with logged(tmp_path) as (world, lines):
        await post(world, said(id=ONE_ID), "secret")
        lines.clear()
        statuses = {
            await post(world, refusal.statement or said(), refusal.secret) for _ in range(20)
        }

    assert statuses == {refusal.status}
    (line,) = alarming(lines)
    assert line["event"] == "request refused"
    assert (line["log_level"], line["status"]) == ("warning", refusal.status)
    assert line["source"] == ("not known" if refusal.status == 401 else "players")
    assert refusal.reason in line["reason"]
    assert refusal.next in line["next"]
    assert refusal.secret not in str(line) or refusal.secret == "secret"


async def post(world: Running, statement: dict[str, Any], secret: str) -> int:
    authorization = "Basic " + base64.b64encode(f"user:{secret}".encode()).decode()
    headers = {
        "Authorization": authorization,
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
    }
    try:
        async with world.session.post(
            f"{world.url}/xapi/statements",
            data=io.BytesIO(json.dumps(statement).encode()),
            headers=headers,
        ) as answer:
            return answer.status
    except aiohttp.ClientOSError:  # a body that is too large is not read to its end
        return 413


@pytest.mark.parametrize(
    ("timestamp", "off", "direction"),
    [
        ("2020-01-01T00:00:00Z", "behind_days", "behind"),
        ("2127-01-01T00:00:00Z", "ahead_seconds", "ahead"),
    ],
)
async def test_a_clock_that_is_off_is_counted_and_named_once_by_source(
    tmp_path: Path, timestamp: str, off: str, direction: str
) -> None:
    async with logged(tmp_path) as (world, lines):
        for number in range(1, 6):
            topic = f"https://content.example.com/topic_demo_{number}"
            await world.say("completed", topic, ANA, timestamp=timestamp)
        async with world.session.get(f"{world.url}/metrics") as answer:
            page = await answer.text()

    (line,) = alarming(lines)
    assert line["event"] == "a player's clock is off"
    assert (line["log_level"], line["source"]) == ("warning", "players")
    assert line[off] > 1_000
    assert uuid.UUID(line["statement_id"])
    assert "set the clock" in line["next"]
    assert f'pointsman_clock_off_total{{direction="{direction}",source="players"}} 5.0' in page


async def test_a_clock_that_is_right_or_a_player_that_was_offline_for_days_is_no_line(
    tmp_path: Path,
) -> None:
    async with logged(tmp_path) as (world, lines):
        await world.say("completed", "https://content.example.com/topic_demo_1", ANA)

    assert alarming(lines) == []


async def test_a_lenient_source_loses_a_reading_and_not_the_statement(tmp_path: Path) -> None:
    rules = RULE + '[[sources.http]]\nname = "old"\nlenient = true\n'
    rules += 'credentials = [{ key = "old", secret = "secret" }]\n'
    async with running(tmp_path, rules) as world:
        statement = said(
            verb={"id": "http://adlnet.gov/expapi/verbs/completed"},
            result={"completion": True, "extensions": {PROGRESS: 170}},
        )
        authorization = "Basic " + base64.b64encode(b"old:secret").decode()
        headers = {"Authorization": authorization, "X-Experience-API-Version": "1.0.3"}
        async with world.session.post(
            f"{world.url}/xapi/statements", json=statement, headers=headers
        ) as answer:
            assert answer.status == 200, await answer.text()
        await world.until(lambda: bool(world.ran))

    assert world.ran[0][1]["progress"] == 100


def test_a_full_disk_has_one_error_that_says_where_room_is_needed(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "pointsman.toml"
    config.write_text(f"""
[http]
host = "127.0.0.1"
port = {port}
[platform]
url = "http://127.0.0.1:1"
api_key = "key"
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[learners.tokens]
file = "tokens.json"
""")
    # through a pipe: no file grows any more, and so the log would not
    with subprocess.Popen(
        [sys.executable, "-m", "pointsman", "run", "-c", str(config)], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            while b'"listening"' not in process.stdout.readline():
                assert process.poll() is None
            full = (4096, resource.RLIM_INFINITY)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, full)
            assert asyncio.run(refused_statuses(port)) == {503}
        finally:
            process.terminate()
        lines = [json.loads(line) for line in process.stdout.read().splitlines()]

    (line,) = (line for line in lines if line["event"] == "request refused")
    assert (line["level"], line["status"], line["source"]) == ("error", 503, "players")
    assert "could not commit" in line["reason"]
    assert "room on the volume of store.url" in line["next"]


async def refused_statuses(port: int) -> set[int]:
    authorization = "Basic " + base64.b64encode(b"user:secret").decode()
    headers = {"Authorization": authorization, "X-Experience-API-Version": "1.0.3"}
    statuses = set()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as session:
        for _ in range(5):
            async with session.post(
                f"http://127.0.0.1:{port}/xapi/statements", json=said(), headers=headers
            ) as answer:
                statuses.add(answer.status)
    return statuses
