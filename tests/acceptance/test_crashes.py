"""The crash matrix: SIGKILL at every step, both stores, HTTP and Kafka, one and three replicas."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer

from demo.broker import Broker
from demo.database import Database
from demo.processes import PATIENCE, stop
from demo.traffic import make_topic
from pointsman.store.migrations import all_of
from pointsman.store.sqlite.schema import PACKAGE
from tests.support.crash_at import STEPS
from tests.support.daemon_fleet import Fleet, a_fleet, statement, verdict
from tests.support.databases import a_database
from tests.support.random_traffic import Traffic

LEARNERS = 12
STATEMENTS = 160
#: the n-th time that a step is passed; far enough in that work of every kind is under way
NTH = {"after reserve": 6, "after send, before settle": 6}


@pytest.fixture(params=["sqlite-1", "postgresql-1", "postgresql-3"])
def fleet(
    request: pytest.FixtureRequest, tmp_path: Path, broker: Broker
) -> Iterator[tuple[Fleet, int]]:
    """An emulator, a topic and a store, and how many replicas are to share it."""
    kind, _, count = str(request.param).partition("-")
    topic = f"crash-{uuid.uuid4().hex}"
    asyncio.run(make_topic(broker.bootstrap, topic))
    with ExitStack() as stack:
        store = "sqlite:///pointsman.db"
        if kind == "postgresql":
            database: Database = request.getfixturevalue("database")
            store = stack.enter_context(a_database(database))
        made = stack.enter_context(
            a_fleet(tmp_path, LEARNERS, store=store, kafka=(broker.bootstrap, topic))
        )
        yield made, int(count)


TRAFFIC_STEPS = [one for one in STEPS if one not in {"in housekeeping", "in a migration"}]


@pytest.mark.parametrize("step", TRAFFIC_STEPS)
def test_killed_at_a_step_nothing_that_was_acknowledged_is_lost(
    fleet: tuple[Fleet, int], step: str
) -> None:
    made, count = fleet
    nth = NTH.get(step, 15)

    async def run() -> None:
        await made.log_in()
        made.add(dies=(step, nth))
        for _ in range(count - 1):
            made.add()
        await asyncio.gather(*(made.ready(one) for one in made.replicas))
        traffic = Traffic(LEARNERS, random.Random(step))
        died = asyncio.Event()
        guard = asyncio.create_task(_revive(made, died))
        # on a busy machine the others may do so much that the step comes late
        await _send(made, traffic, seconds=2.5, goes_on_until=died)
        books = await made.drained(traffic.count)
        # the others may have delivered all of it while the one that died starts again
        await _until(lambda: _starts(made) == 2)  # it did die
        assert not guard.done()  # it failed, otherwise
        guard.cancel()
        assert books["balanced"], books
        assert verdict(await made.state(), traffic) == []

    asyncio.run(run())


def _starts(made: Fleet) -> int:
    """How often the replica that dies has begun to listen."""
    return made.replicas[0].log.read_text().count('"listening"')


async def _revive(made: Fleet, died: asyncio.Event) -> None:
    """Restart replicas that die, as Kubernetes does."""
    while True:
        for replica in made.replicas:
            if replica.process.poll() is not None:
                died.set()
                await asyncio.to_thread(made.restart, replica)
        await asyncio.sleep(0.1)


async def _send(
    made: Fleet, traffic: Traffic, seconds: float, *, goes_on_until: asyncio.Event | None = None
) -> None:
    """`STATEMENTS` in so many seconds, or more: half over HTTP, half through Kafka."""
    assert made.kafka is not None
    async with (
        aiohttp.ClientSession() as session,
        AIOKafkaProducer(bootstrap_servers=made.kafka[0]) as producer,
    ):
        posted = []
        while traffic.count < STATEMENTS or not (goes_on_until is None or goes_on_until.is_set()):
            change = traffic.next(_now())
            said = statement(traffic.latest, change)
            if traffic.count % 2:
                posted.append(asyncio.create_task(made.post(session, said)))
            else:
                await made.produce(producer, said)
            await asyncio.sleep(seconds / STATEMENTS)
        await producer.flush()
        await asyncio.gather(*posted)


def _now() -> int:
    return round(asyncio.get_running_loop().time() * 1e6)


@pytest.mark.parametrize("fleet", ["postgresql-3"], indirect=True)
def test_a_replica_that_was_frozen_for_longer_than_a_lease_settles_nothing_of_others(
    fleet: tuple[Fleet, int],
) -> None:
    made, count = fleet

    async def run() -> None:
        await made.log_in()
        for _ in range(count):
            made.add()
        await asyncio.gather(*(made.ready(one) for one in made.replicas))
        traffic = Traffic(LEARNERS, random.Random(1))
        frozen = made.replicas[1]

        async def freeze() -> None:
            await asyncio.sleep(0.7)
            frozen.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(6)  # a lease is 4 s, a session of the consumer group 2 s
            frozen.process.send_signal(signal.SIGCONT)

        await asyncio.gather(freeze(), _send(made, traffic, seconds=5))
        books = await made.drained(STATEMENTS)
        assert books["balanced"], books
        assert verdict(await made.state(), traffic) == []

    asyncio.run(run())


@pytest.mark.parametrize("fleet", ["sqlite-1", "postgresql-1"], indirect=True)
def test_killed_in_housekeeping_the_books_balance_and_it_goes_on(
    fleet: tuple[Fleet, int],
) -> None:
    made, _ = fleet
    made.settings["retention"] = 1 / 86_400  # a second

    async def run() -> None:
        await made.log_in()
        first = made.add()
        await made.ready(first)
        traffic = Traffic(LEARNERS, random.Random(1))
        await _send(made, traffic, seconds=1.0)
        await made.drained(STATEMENTS)
        stop(first.process)
        await asyncio.sleep(1.1)
        dying = made.add(dies=("in housekeeping", 1))
        assert await asyncio.to_thread(dying.process.wait, PATIENCE) == -signal.SIGKILL
        books = await asyncio.to_thread(made.verify)
        assert books["balanced"], books
        made.restart(dying)
        await made.ready(dying)
        await _until(lambda: "old statements forgotten" in dying.log.read_text())
        books = await asyncio.to_thread(made.verify)
        assert books["balanced"], books
        assert books["inputs"]["accepted"] == STATEMENTS
        assert verdict(await made.state(), traffic) == []

    asyncio.run(run())


async def _until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not ready():  # noqa: ASYNC110 - what is awaited is in another process
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("fleet", ["sqlite-1", "postgresql-1"], indirect=True)
def test_killed_in_a_migration_the_next_start_does_it_again(fleet: tuple[Fleet, int]) -> None:
    made, _ = fleet
    old = all_of(PACKAGE)[0]
    if made.settings["store"].startswith("sqlite"):
        with closing(sqlite3.connect(made.folder / "pointsman.db")) as connection:
            connection.executescript(f"{old.sql}\nPRAGMA user_version = {old.number};")
            connection.execute(
                "INSERT INTO desired (learner, kind, key, value, version, occurred_at,"
                " statement_id, rule, since, changed_at, after, attempts, urgent, parked)"
                " VALUES ('ana', 'topic_progress', 't', 40, 1, 1, 'id', 'r', 1, 1, '[]', '[]', 0,"
                " 'refused: by hand')"
            )
            connection.commit()

    async def run() -> None:
        dying = made.add(dies=("in a migration", 1))
        assert await asyncio.to_thread(dying.process.wait, PATIENCE) == -signal.SIGKILL
        made.restart(dying)
        await made.ready(dying)
        books = await asyncio.to_thread(made.verify)
        assert books["balanced"], books
        if made.settings["store"].startswith("sqlite"):
            assert books["desired"]["parked"] == 1

    asyncio.run(run())
