"""Replicas restarted one after the other behind a load balancer, under load: no sender notices."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from demo.database import Database
from demo.processes import PATIENCE
from tests.support.daemon_fleet import HEADERS, Fleet, Replica, a_fleet, statement
from tests.support.databases import a_database
from tests.support.haproxy import LoadBalancer, load_balancer
from tests.support.random_traffic import Traffic

REPLICAS, SENDERS, LEARNERS = 2, 6, 12
#: seconds; the load balancer needs up to 1 to learn of an endpoint's end
DELAY = 3.0


@dataclass
class Load:
    """Senders that never repeat anything, each on a connection that it keeps."""

    url: str
    traffic: Traffic
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    answers: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    stopped: bool = False

    async def send(self) -> None:
        async with aiohttp.ClientSession() as session:
            while not self.stopped:
                change = self.traffic.next(next(self.numbers))
                made = statement(self.traffic.latest, change)
                began = time.monotonic()
                try:
                    async with session.post(
                        f"{self.url}/xapi/statements", headers=HEADERS, json=made
                    ) as answer:
                        outcome = str(answer.status)
                        if answer.status != 200:
                            outcome += f": {(await answer.text())[:200]}"
                except aiohttp.ClientError as error:
                    outcome = f"{type(error).__name__}: {error}"
                self.answers[outcome] += 1
                self.longest = max(self.longest, time.monotonic() - began)
                await asyncio.sleep(0.02)


async def sent_to(balancer: LoadBalancer, expected: set[str]) -> None:
    async with asyncio.timeout(PATIENCE):
        while await asyncio.to_thread(balancer.up) != expected:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.1)


async def restarted(fleet: Fleet, replica: Replica) -> float:
    """As Kubernetes does it with SIGTERM; the seconds until it had ended."""
    began = time.monotonic()
    replica.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(replica.process.wait, PATIENCE) == 0
    ended = time.monotonic() - began
    fleet.restart(replica)
    await fleet.ready(replica)
    return ended


def test_no_sender_notices_that_replicas_are_restarted(tmp_path: Path, database: Database) -> None:
    with (
        a_database(database) as dsn,
        a_fleet(tmp_path, LEARNERS, store=dsn, delay=DELAY) as fleet,
    ):

        async def run() -> None:
            await fleet.log_in()
            for _ in range(REPLICAS):
                await fleet.ready(fleet.add())
            names = {f"s{number}" for number in range(REPLICAS)}
            ports = [replica.port for replica in fleet.replicas]
            with load_balancer(tmp_path, ports) as balancer:
                await sent_to(balancer, names)
                load = Load(balancer.url, Traffic(LEARNERS, random.Random(5)))
                senders = [asyncio.create_task(load.send()) for _ in range(SENDERS)]
                for replica in fleet.replicas:
                    ended = await restarted(fleet, replica)
                    assert ended >= DELAY
                    await sent_to(balancer, names)
                load.stopped = True
                await asyncio.gather(*senders)
            assert set(load.answers) == {"200"}, load.answers
            books = await asyncio.to_thread(fleet.verify)
            assert books["balanced"], books
            assert books["inputs"]["accepted"] == load.answers["200"]
            print(f"{load.answers['200']} posts, the longest {load.longest:.2f} s")  # noqa: T201

        asyncio.run(run())
