"""Honest players beside everything that strangers and learners can try at once.

Every honest statement is to be answered with 2xx within two seconds and to reach the platform, the
daemon's memory to stay under 300 MB, the store to grow within the quotas, and no secret to get into
the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from demo.children import Child
from demo.processes import stop
from tests.soak.hostile_world import (
    ATTACKERS,
    PLAYERS,
    QUOTA,
    REPORTED,
    World,
    learner_name,
    open_launch,
    topic_of,
    world_under_attack,
)
from tests.support.random_traffic import differences

_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
#: what is promised to the honest, and of the daemon
_SECONDS, _MEGABYTES = 2.0, 300
#: bytes that one honest statement may cost on disk with all that follows from it, and at the start
_STATEMENT, _EMPTY = 8_000, 20_000_000
#: documents and statements have a quota each, and the database has its log beside it
_KINDS = 4
#: seconds in which the platform must have the last of it
_DRAIN = 120.0
#: as many requests as the attackers make of each kind at the least, for it to be an attack
_LEAST = 3


def hostile(folder: Path, seconds: float, _seed: int, console: Console) -> bool:
    """Whether all is as it must be."""
    with world_under_attack(folder) as world:
        before = world.stored()
        attacks = asyncio.run(_run(world, seconds))
        grown = world.stored() - before
        wrong = [*world.wrong, *_judged(world, attacks, grown)]
    text = world.log.read_text(encoding="utf-8", errors="replace")
    wrong += [f"the log has {name}" for name, secret in world.secrets.items() if secret in text]
    console.print(
        f"{world.sent} honest statements, the slowest answered after {world.slowest:.2f} s; "
        f"memory {world.peak:.0f} MB at most; the store grew by {grown / 1e6:.1f} MB"
    )
    for name, statuses in attacks.items():
        console.print(f"  {name}: {dict(Counter(statuses).most_common())}")
    for line in wrong[:20]:
        console.print(line, markup=False)
    return not wrong


async def _run(world: World, seconds: float) -> dict[str, dict[str, int]]:
    connector = aiohttp.TCPConnector(limit=0, local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        launches = [
            await open_launch(world, session, number)
            for number in range(PLAYERS + REPORTED + ATTACKERS)
        ]
        attackers = world.folder / "attackers.json"
        attackers.write_text(json.dumps(launches[PLAYERS + REPORTED :]))
        output = world.folder / "crowd.json"
        with output.open("wb") as file:
            crowd = Child(
                [
                    *(sys.executable, "-m", "tests.soak.hostile_crowd", world.url),
                    *(str(seconds), str(attackers)),
                ],
                output=file,
            )
        ends = time.monotonic() + seconds
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_watch_memory(world, ends))
                for number in range(PLAYERS):
                    tasks.create_task(_play(world, session, launches[number], number, ends))
                for number in range(PLAYERS, PLAYERS + REPORTED):
                    tasks.create_task(_report(world, session, number, ends))
            await asyncio.to_thread(crowd.wait)
        finally:
            stop(crowd)
        await _reaches_the_platform(world, session)
    found: dict[str, dict[str, int]] = json.loads(output.read_text().splitlines()[-1])
    return found


async def _play(
    world: World, session: aiohttp.ClientSession, launch: dict[str, Any], number: int, ends: float
) -> None:
    """A player that says once a second how far its learner is; 100 % at the end."""
    begun = time.monotonic()
    while True:
        now = time.monotonic()
        percent = 100 if now >= ends else int(99 * (now - begun) / (ends - begun))
        statement = {
            "id": str(uuid.uuid4()),
            "timestamp": datetime.now(UTC).isoformat(),
            "actor": launch["actor"],
            "verb": {"id": "http://adlnet.gov/expapi/verbs/progressed"},
            "object": {"id": launch["activity"]},
            "result": {"extensions": {_PROGRESS: percent}},
        }
        headers = {
            "Authorization": launch["authorization"],
            "X-Experience-API-Version": "1.0.3",
        }
        await _timed(
            world,
            session.post(f"{world.url}/xapi/statements", json=statement, headers=headers),
            f"player {number}",
        )
        world.expected[learner_name(number), "topic", topic_of(number)] = percent
        if percent == 100:
            return
        await asyncio.sleep(1.0)


async def _report(world: World, session: aiohttp.ClientSession, number: int, ends: float) -> None:
    """The LMS, by signed webhooks whose ids the crowd tries to take first."""
    begun, event = time.monotonic(), number * 100_000
    while True:
        now = time.monotonic()
        percent = 100 if now >= ends else int(99 * (now - begun) / (ends - begun))
        body = json.dumps(
            {
                "event": f"event-{event}",
                "user": learner_name(number),
                "topic": topic_of(number),
                "percent": percent,
            }
        ).encode()
        signature = hmac.new(world.secrets["webhook"].encode(), body, "sha256").hexdigest()
        headers = {"X-Signature": f"sha256={signature}", "Content-Type": "application/json"}
        await _timed(
            world,
            session.post(f"{world.url}/webhooks/lms", data=body, headers=headers),
            f"report {event}",
        )
        world.expected[learner_name(number), "topic", topic_of(number)] = percent
        if percent == 100:
            return
        event += 1
        await asyncio.sleep(1.0)


async def _timed(
    world: World, request: contextlib.AbstractAsyncContextManager[Any], who: str
) -> None:
    world.sent += 1
    begun = time.monotonic()
    try:
        async with request as answer:
            text = await answer.text()
            if answer.status not in {200, 204}:
                world.note(f"{who}: HTTP {answer.status}: {text[:200]}")
    except (aiohttp.ClientError, TimeoutError) as error:
        world.note(f"{who}: {type(error).__name__}: {error}")
    seconds = time.monotonic() - begun
    world.slowest = max(world.slowest, seconds)
    if seconds > _SECONDS:
        world.note(f"{who} was answered after {seconds:.2f} s")


async def _watch_memory(world: World, ends: float) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    resident = Path(f"/proc/{world.daemon.pid}/statm")
    while time.monotonic() < ends:
        with contextlib.suppress(OSError):
            text = await asyncio.to_thread(resident.read_text)
            world.peak = max(world.peak, int(text.split()[1]) * page / 1e6)
        await asyncio.sleep(0.25)


async def _reaches_the_platform(world: World, session: aiohttp.ClientSession) -> None:
    deadline = time.monotonic() + _DRAIN
    while True:
        async with session.get(f"{world.platform}/emulator/state") as answer:
            state = await answer.json()
        missing = differences(state["learners"], world.expected)
        if not missing:
            break
        if time.monotonic() > deadline:
            for line in missing:
                world.note(line)
            break
        await asyncio.sleep(0.5)
    if rejected := state["totals"]["rejected_429"]:
        world.note(f"{rejected} requests over the platform's quota")


def _judged(world: World, attacks: dict[str, dict[str, int]], grown: int) -> Iterator[str]:
    if world.daemon.poll() is not None:
        yield f"the daemon ended with {world.daemon.poll()}"
    if world.peak > _MEGABYTES:
        yield f"memory was {world.peak:.0f} MB, and must stay under {_MEGABYTES}"
    allowed = _EMPTY + ATTACKERS * QUOTA * _KINDS + world.sent * _STATEMENT
    if grown > allowed:
        yield f"the store grew by {grown:,} bytes, and the quotas allow {allowed:,}"
    for name, statuses in attacks.items():
        if sum(statuses.values()) < _LEAST:
            yield f"the crowd made only {statuses} of {name}"
        if "500" in statuses:
            yield f"{name} got {statuses['500']} times HTTP 500"
