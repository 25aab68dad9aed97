"""A store that goes away, comes back, fails in the middle or is full: 503, and nothing is lost."""

from __future__ import annotations

import asyncio
import random
import resource
import signal
import time
import uuid
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from aiokafka import AIOKafkaProducer

from demo.broker import Broker
from demo.database import Server
from demo.processes import PATIENCE
from demo.traffic import make_topic
from tests.support import fleet_load
from tests.support.daemon_fleet import HEADERS, Fleet, Replica, a_fleet, statement, verdict
from tests.support.fleet_load import SENDERS, STALE, Load
from tests.support.random_traffic import Traffic
from tests.support.small_disk import fill
from tests.support.store_queries import list_statement_ids

LEARNERS = 12
STATEMENTS = 200


async def ride_out(fleet: Fleet, outage: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Traffic over HTTP and Kafka with an outage in the middle; the platform must have it all."""
    assert fleet.kafka is not None
    traffic = Traffic(LEARNERS, random.Random(1))
    async with (
        aiohttp.ClientSession() as session,
        AIOKafkaProducer(bootstrap_servers=fleet.kafka[0]) as producer,
        asyncio.TaskGroup() as posts,
    ):
        # within the group, so that senders do not insist for ever on what an outage left broken
        posts.create_task(outage())
        for number in range(STATEMENTS):
            change = traffic.next(number)
            said = statement(traffic.latest, change)
            if number % 2:
                posts.create_task(fleet.post(session, said))
            else:
                await fleet.produce(producer, said)
            await asyncio.sleep(0.02)
        await producer.flush()
    books = await fleet.drained(STATEMENTS)
    assert books["balanced"], books
    assert verdict(await fleet.state(), traffic) == []


async def refusal(replica: Replica) -> tuple[int, str, str]:
    """(status, Retry-After, body) of a statement that can't be stored."""
    change = Traffic(1, random.Random(2)).next(0)
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{replica.url}/xapi/statements",
            headers=HEADERS,
            json=statement("nobody@example.com", change),
        ) as answer,
    ):
        return answer.status, answer.headers.get("Retry-After", ""), await answer.text()


async def topic_of(broker: Broker) -> str:
    topic = f"outage-{uuid.uuid4().hex}"
    await make_topic(broker.bootstrap, topic)
    return topic


def test_a_database_that_crashes_and_comes_back_needs_nobody(
    tmp_path: Path, broker: Broker, own_database_server: Server
) -> None:
    kafka = broker.bootstrap, asyncio.run(topic_of(broker))
    server = own_database_server
    with a_fleet(tmp_path, LEARNERS, store=server.dsn, kafka=kafka) as fleet:

        async def run() -> None:
            await fleet.log_in()
            for _ in range(2):
                await fleet.ready(fleet.add())

            async def outage() -> None:
                await asyncio.sleep(1)
                await asyncio.to_thread(server.stop, signal.SIGQUIT)
                status, retry_after, body = await refusal(fleet.replicas[0])
                assert (status, bool(retry_after)) == (503, True), body
                assert "PostgreSQL" in body or "the database" in body, body
                async with (
                    aiohttp.ClientSession() as session,
                    session.get(f"{fleet.replicas[0].url}/readyz") as answer,
                ):
                    assert answer.status == 503
                await asyncio.sleep(2)
                await asyncio.to_thread(server.start)

            await ride_out(fleet, outage)

        asyncio.run(run())


def test_transactions_that_are_torn_off_are_done_again(
    tmp_path: Path, broker: Broker, own_database_server: Server
) -> None:
    kafka = broker.bootstrap, asyncio.run(topic_of(broker))
    server = own_database_server
    with a_fleet(tmp_path, LEARNERS, store=server.dsn, kafka=kafka) as fleet:

        async def run() -> None:
            await fleet.log_in()
            for _ in range(2):
                await fleet.ready(fleet.add())

            async def outage() -> None:
                connection = await asyncpg.connect(server.dsn)
                for _ in range(30):
                    await connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'pointsman' AND state <> 'idle'"
                    )
                    await asyncio.sleep(0.1)
                await connection.close()

            await ride_out(fleet, outage)

        asyncio.run(run())


def test_a_full_disk_is_said_and_when_there_is_room_again_it_goes_on(
    tmp_path: Path, broker: Broker
) -> None:
    kafka = broker.bootstrap, asyncio.run(topic_of(broker))
    with a_fleet(tmp_path, LEARNERS, kafka=kafka) as fleet:

        async def run() -> None:
            await fleet.log_in()
            replica = fleet.add()
            await fleet.ready(replica)

            async def outage() -> None:
                await asyncio.sleep(1)
                # what a full disk does: no file grows any more
                full = (4096, resource.RLIM_INFINITY)
                resource.prlimit(replica.process.pid, resource.RLIMIT_FSIZE, full)
                status, retry_after, body = await refusal(replica)
                assert (status, bool(retry_after)) == (503, True), body
                assert "could not commit" in body
                await asyncio.sleep(1.5)
                room = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
                resource.prlimit(replica.process.pid, resource.RLIMIT_FSIZE, room)

            await ride_out(fleet, outage)

        asyncio.run(run())


def test_a_file_system_that_fills_under_load_and_is_freed_is_gone_on_with(
    tmp_path: Path, small_disk: Path
) -> None:
    store = small_disk / "store.db"
    ids = partial(asyncio.to_thread, list_statement_ids, store)

    async def fill_and_free(load: Load) -> float:
        full = await asyncio.to_thread(fill, small_disk)
        # the log may hold some more, in room that it has
        async with asyncio.timeout(PATIENCE):
            while not load.refused:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.01)
        began, acknowledged = load.refused[0][0], len(load.acknowledged)
        await asyncio.sleep(STALE + 2)
        assert load.ready_between(began + STALE, time.monotonic()) == {503}
        assert len(load.acknowledged) - acknowledged <= SENDERS, "they were under way"
        for words in (load.refused[-1][2], load.samples[-1][2]):
            assert "could not commit" in words
            assert "full" in words
        full.unlink()
        return time.monotonic()

    with a_fleet(tmp_path, LEARNERS, store=f"sqlite:///{store}") as fleet:
        asyncio.run(fleet_load.ride_out(fleet, ids, fill_and_free, out=False))
