"""Load on one replica while the systems below it fail: what was acknowledged, refused, and ready.

What is judged: every 2xx is in the store exactly once, posts succeed again soon after the other
end is well, and /readyz told the truth all the time.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from demo.processes import PATIENCE
from tests.support.daemon_fleet import HEADERS, Fleet, Replica, statement
from tests.support.random_traffic import Traffic

SENDERS = 4
#: seconds within which posts succeed once the other end is well
SOON = 5.0
#: seconds for which an answer of /readyz may be old: that it holds, and that asking takes
STALE = 3.0


@dataclass(slots=True)
class Load:
    """Senders that repeat each statement until it is acknowledged, and a probe of /readyz."""

    replica: Replica
    learners: int
    #: when each statement was acknowledged
    acknowledged: dict[str, float] = field(default_factory=dict)
    #: when a post was refused, and how
    refused: list[tuple[float, int, str]] = field(default_factory=list)
    #: when /readyz was asked, its status and reason
    samples: list[tuple[float, int, str]] = field(default_factory=list)

    #: senders end when what they send is acknowledged
    is_ending: bool = False

    async def send(self, session: aiohttp.ClientSession, number: int) -> None:
        traffic = Traffic(self.learners, random.Random(number))
        while not self.is_ending:
            change = traffic.next(number)
            made = statement(traffic.latest, change)
            while made["id"] not in self.acknowledged:
                status, words = await self._post(session, made)
                if status in {200, 204}:
                    self.acknowledged[made["id"]] = time.monotonic()
                else:
                    self.refused.append((time.monotonic(), status, words))
                    await asyncio.sleep(0.1)
            await asyncio.sleep(0.02)

    async def _post(
        self, session: aiohttp.ClientSession, made: dict[str, object]
    ) -> tuple[int, str]:
        url = f"{self.replica.url}/xapi/statements"
        async with session.post(url, headers=HEADERS, json=made) as answer:
            return answer.status, await answer.text()

    async def probe(self, session: aiohttp.ClientSession) -> None:
        while True:
            async with session.get(f"{self.replica.url}/readyz") as answer:
                words = await answer.text()
                self.samples.append((time.monotonic(), answer.status, words))
            await asyncio.sleep(0.1)

    async def acknowledges(self, more: int) -> float:
        """Until so many more statements are acknowledged; when the first of them was."""
        before = len(self.acknowledged)
        async with asyncio.timeout(PATIENCE):
            while len(self.acknowledged) < before + more:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.01)
        return sorted(self.acknowledged.values())[before]

    def ready_between(self, start: float, end: float) -> set[int]:
        return {status for at, status, _ in self.samples if start <= at <= end}


@asynccontextmanager
async def under_load(fleet: Fleet) -> AsyncIterator[Load]:
    await fleet.log_in()
    replica = fleet.add()
    await fleet.ready(replica)
    load = Load(replica, fleet.learners)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        senders = [asyncio.create_task(load.send(session, number)) for number in range(SENDERS)]
        tasks = [*senders, asyncio.create_task(load.probe(session))]
        try:
            await load.acknowledges(20)
            yield load
            await asyncio.sleep(STALE)
            load.is_ending = True
            await asyncio.wait_for(asyncio.gather(*senders), PATIENCE)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [error for error in results if isinstance(error, Exception)] == []


async def check(
    load: Load, fleet: Fleet, stored_ids: Callable[[], Awaitable[list[str]]], messages: int = 0
) -> None:
    """What was acknowledged is there once, and nothing else.

    `messages` are so many statements that came by another way than these posts.
    """
    stored = await stored_ids()
    assert len(stored) == len(set(stored))
    assert load.acknowledged.keys() <= set(stored)
    books = await asyncio.to_thread(fleet.verify)
    assert books["balanced"], books
    assert books["inputs"]["accepted"] == len(stored)
    assert len(stored) == len(load.acknowledged) + messages
    assert {status for _, status, _ in load.refused} <= {503}


async def ride_out(
    fleet: Fleet,
    stored_ids: Callable[[], Awaitable[list[str]]],
    event: Callable[[Load], Awaitable[float]],
    *,
    out: bool = True,
) -> Load:
    """`event` returns when the other end was well again; posts and /readyz are judged by it.

    `out` says that nothing can be stored from the event on, until then.
    """
    async with under_load(fleet) as load:
        began = time.monotonic()
        well = await event(load)
        first = await load.acknowledges(20)
        print(f"posts succeed {first - well:.2f} s after the other end is well")  # noqa: T201
        assert first - well < SOON
    if out:
        meanwhile = [status for at, status, _ in load.samples if began <= at <= well]
        # it may take a busy machine longer than STALE to notice, and then there is no way back
        assert meanwhile == sorted(meanwhile)
        assert 503 in meanwhile or well - began < STALE
    assert load.ready_between(first + STALE, time.monotonic()) == {200}
    await check(load, fleet, stored_ids)
    return load
