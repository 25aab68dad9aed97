"""Several processes on one port and one PostgreSQL: they share the posts, and one may leave."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
from collections import Counter
from pathlib import Path

import aiohttp

from demo.database import Database
from demo.processes import PATIENCE
from demo.view import read_metrics
from tests.support.daemon_fleet import HEADERS, Fleet, Replica, a_fleet, statement
from tests.support.databases import a_database
from tests.support.random_traffic import Traffic

PROCESSES, SENDERS, POSTS, LEARNERS = 2, 6, 60, 12


async def taken(session: aiohttp.ClientSession, replica: Replica) -> int:
    """How many inputs this process has accepted, by its own metrics."""
    numbers = await read_metrics(session, replica.operator_url)
    return int(numbers["pointsman_inputs_total"])


class Senders:
    """They open a connection for each post, and repeat nothing that was answered."""

    def __init__(self, fleet: Fleet) -> None:
        self._url = f"{fleet.replicas[0].url}/xapi/statements"
        self._traffic, self._numbers = Traffic(LEARNERS, random.Random(5)), itertools.count()
        self.answers: Counter[int] = Counter()
        #: connections that were cut before an answer; their posts were sent again
        self.cut = 0

    async def post(self, session: aiohttp.ClientSession, posts: int) -> None:
        """So many in all, some at once."""

        async def send(share: int) -> None:
            for _ in range(share):
                change = self._traffic.next(next(self._numbers))
                await self._acknowledged(session, statement(self._traffic.latest, change))

        await asyncio.gather(*(send(posts // SENDERS) for _ in range(SENDERS)))

    async def _acknowledged(self, session: aiohttp.ClientSession, made: dict[str, object]) -> None:
        while True:
            try:
                async with session.post(self._url, headers=HEADERS, json=made) as answer:
                    self.answers[answer.status] += 1
                    return
            except aiohttp.ClientError:
                self.cut += 1


def test_processes_share_a_port_and_no_post_is_lost_when_one_leaves(
    tmp_path: Path, database: Database
) -> None:
    with (
        a_database(database) as dsn,
        a_fleet(tmp_path, LEARNERS, store=dsn, share_port=True) as fleet,
    ):

        async def run() -> None:
            await fleet.log_in()
            first, second = [fleet.add() for _ in range(PROCESSES)]
            await fleet.ready(first)
            await fleet.ready(second)
            senders = Senders(fleet)
            connector = aiohttp.TCPConnector(force_close=True)
            async with aiohttp.ClientSession(connector=connector) as session:
                await senders.post(session, POSTS)
                shares = [await taken(session, replica) for replica in fleet.replicas]
                assert sum(shares) == POSTS
                assert all(shares), "one of them got no connection"

                load = asyncio.create_task(senders.post(session, POSTS))
                first.process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(first.process.wait, PATIENCE) == 0
                await load
                await senders.post(session, POSTS)
            assert sum(senders.answers.values()) == 3 * POSTS
            assert senders.answers.keys() <= {200, 204}, "204: it was stored before it was cut"
            books = await asyncio.to_thread(fleet.verify)
            assert books["balanced"], books
            assert books["inputs"]["accepted"] == 3 * POSTS
            print(f"{shares} posts, {senders.cut} connections cut")  # noqa: T201

        asyncio.run(run())
