"""A database that fails over, is behind a pooler or gets a new password, under load.

Every 2xx is in the store exactly once, posts succeed soon after the database is well, and /readyz
told the truth all the time.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from demo.database import Server
from demo.processes import PATIENCE
from tests.support.daemon_fleet import HEADERS, Fleet, Replica, a_fleet, statement
from tests.support.postgres_servers import (
    ROLE,
    ask,
    bouncer,
    end_sessions,
    execute,
    standby_of,
    with_password,
)
from tests.support.random_traffic import Traffic

LEARNERS = 6
SENDERS = 4
#: seconds within which posts succeed once the database is well
SOON = 5.0
#: seconds for which an answer of /readyz may be old: that it holds, and that asking takes
STALE = 3.0


@dataclass(slots=True)
class Load:
    """Senders that repeat each statement until it is acknowledged, and a probe of /readyz."""

    replica: Replica
    #: when each statement was acknowledged
    acknowledged: dict[str, float] = field(default_factory=dict)
    #: when a post was refused, and how
    refused: list[tuple[float, int, str]] = field(default_factory=list)
    #: when /readyz was asked, its status and reason
    samples: list[tuple[float, int, str]] = field(default_factory=list)

    async def send(self, session: aiohttp.ClientSession, number: int) -> None:
        traffic = Traffic(LEARNERS, random.Random(number))
        while True:
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
    load = Load(replica)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        work = [load.send(session, number) for number in range(SENDERS)]
        tasks = [asyncio.create_task(one) for one in (*work, load.probe(session))]
        try:
            await load.acknowledges(20)
            yield load
            await asyncio.sleep(STALE)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
    ended = [each for each in results if not isinstance(each, asyncio.CancelledError)]
    assert ended == []


async def check(load: Load, dsn: str, fleet: Fleet) -> None:
    """What was acknowledged is there once; what was cut off at the end may be there."""
    sent = list(load.acknowledged)
    missing = await ask(
        dsn,
        "SELECT array_agg(n) FROM unnest($1::text[]) AS n"
        " WHERE NOT EXISTS (SELECT FROM statements WHERE id = n)",
        sent,
    )
    assert missing is None
    books = await asyncio.to_thread(fleet.verify)
    assert books["balanced"], books
    stored = await ask(dsn, "SELECT count(*) FROM statements")
    assert books["inputs"]["accepted"] == stored
    assert len(sent) <= stored <= len(sent) + SENDERS
    assert {status for _, status, _ in load.refused} <= {503}


async def ride_out(
    fleet: Fleet, dsn: str, event: Callable[[Load], Awaitable[float]], *, out: bool = True
) -> Load:
    """`event` returns when the database was well again; posts and /readyz are judged by it."""
    async with under_load(fleet) as load:
        began = time.monotonic()
        well = await event(load)
        first = await load.acknowledges(20)
        print(f"posts succeed {first - well:.2f} s after the database is well")  # noqa: T201
        assert first - well < SOON
    if out:
        assert load.ready_between(began + STALE, well) <= {503}
    assert load.ready_between(first + STALE, time.monotonic()) == {200}
    await check(load, dsn, fleet)
    return load


def test_a_standby_that_is_promoted_takes_over(tmp_path: Path, own_database_server: Server) -> None:
    primary = own_database_server
    with standby_of(primary) as standby:
        hosts = f"{primary.host},{standby.host}"
        url = f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write"

        async def promote(load: Load) -> float:
            await asyncio.to_thread(primary.stop, signal.SIGQUIT)
            began = time.monotonic()
            await asyncio.sleep(STALE + 2)
            assert load.ready_between(began + STALE, time.monotonic()) == {503}
            await asyncio.to_thread(standby.promote)
            return time.monotonic()

        with a_fleet(tmp_path, LEARNERS, store=url) as fleet:
            asyncio.run(ride_out(fleet, standby.dsn, promote))


def test_a_server_that_turns_read_only_and_back_is_gone_on_with(
    tmp_path: Path, own_database_server: Server
) -> None:
    """Case 17, under load: what a failover behind one address looks like."""
    server = own_database_server

    async def turn(load: Load) -> float:
        await execute(
            server.dsn,
            "ALTER DATABASE postgres SET default_transaction_read_only = on",
            end_sessions("postgres"),
        )
        await asyncio.sleep(STALE + 2)
        assert "takes no writes" in load.refused[-1][2]
        assert "takes no writes" in load.samples[-1][2]
        other = f"postgresql://postgres@{server.host}/template1"
        await execute(other, "ALTER DATABASE postgres SET default_transaction_read_only = off")
        return time.monotonic()

    with a_fleet(tmp_path, LEARNERS, store=server.dsn) as fleet:
        asyncio.run(ride_out(fleet, server.dsn, turn))


def test_a_restart_of_the_server_behind_pgbouncer_is_gone_on_with(
    tmp_path: Path, own_database_server: Server
) -> None:
    """Case 18, under load."""
    server = own_database_server

    async def restart(_load: Load) -> float:
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        return time.monotonic()

    with (
        bouncer(server, "session", server_login_retry=1) as dsn,
        a_fleet(tmp_path, LEARNERS, store=dsn) as fleet,
    ):
        asyncio.run(ride_out(fleet, server.dsn, restart, out=False))


def test_a_password_that_is_rotated_in_its_file_is_used(
    tmp_path: Path, own_database_server: Server
) -> None:
    """Case 19, under load."""
    server = own_database_server
    change = with_password(server, "first-pw-1")
    file = tmp_path / "password"
    file.write_text("first-pw-1")
    dsn = f"postgresql://{ROLE}@{server.host}/{ROLE}"

    async def rotate(load: Load) -> float:
        await asyncio.to_thread(change, "second-pw-2")
        await execute(server.dsn, end_sessions(ROLE))
        await asyncio.sleep(STALE + 2)
        for words in (load.refused[-1][2], load.samples[-1][2]):
            assert "password authentication failed" in words
            assert "store.password_file" in words
        file.write_text("second-pw-2")
        return time.monotonic()

    with a_fleet(tmp_path, LEARNERS, store=f'{dsn}"\npassword_file = "{file}') as fleet:
        asyncio.run(ride_out(fleet, f"postgresql://postgres@{server.host}/{ROLE}", rotate))
