"""Topics with transactions, gaps, tombstones, large messages; topics and brokers that are away."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from logging import ERROR

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from structlog.testing import capture_logs

from demo.apache_kafka import KafkaServer
from demo.broker import Broker
from pointsman.sources.kafka.settings import KafkaSourceSettings
from tests.support.kafka_source import (
    Memory,
    committed,
    create,
    numbered,
    running,
    send,
    until,
)

MIB = 1024 * 1024


@pytest.fixture
def settings(broker: Broker) -> KafkaSourceSettings:
    """Of a topic that is not there yet."""
    return KafkaSourceSettings(
        name="events",
        bootstrap_servers=tuple(broker.bootstrap.split(",")),
        topics=(f"lessons-{uuid.uuid4().hex[:12]}",),
        group_id=f"group-{uuid.uuid4().hex}",
    )


@asynccontextmanager
async def transaction(settings: KafkaSourceSettings, count: int) -> AsyncIterator[AIOKafkaProducer]:
    """A producer with `count` messages sent in a transaction that is under way."""
    producer = AIOKafkaProducer(
        bootstrap_servers=list(settings.bootstrap_servers), transactional_id=uuid.uuid4().hex
    )
    await producer.start()
    try:
        await producer.begin_transaction()
        for number in range(count):
            await producer.send_and_wait(settings.topics[0], b"in %d" % number, partition=0)
        yield producer
    finally:
        await producer.stop()


@pytest.mark.parametrize("end", ["abort_transaction", "commit_transaction"])
async def test_the_lag_is_0_when_nothing_is_left_to_read(
    settings: KafkaSourceSettings, end: str
) -> None:
    memory = Memory()
    await create(settings)
    await send(settings, *numbered(2))
    taken = 2 if end == "abort_transaction" else 2 + 30
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 2)
        async with transaction(settings, 30) as producer:
            await getattr(producer, end)()
        # the marker is at 32: it is passed, stored and committed, without a message after it
        await until(lambda: memory.settled(settings.topics[0]) == 33)
        await until(lambda: memory.lag.get(0) == 0)
    # the last record is known still, so that a restored topic is noticed
    assert memory.kept[settings.topics[0], 0].last_record.split()[0] == str(taken - 1)
    assert len(memory.stored) == taken
    assert await committed(settings, 0) == 33
    async with running(settings, memory):
        await until(lambda: memory.lag.get(0) == 0)
        await send(settings, b"after")
        await until(lambda: len(memory.stored) == taken + 1)
    assert memory.resets == []


async def test_a_transaction_under_way_is_not_read_and_is_no_lag_until_it_ends(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    await create(settings)
    async with running(settings, memory):
        async with transaction(settings, 3) as producer:
            await send(settings, b"behind it")
            await until(lambda: memory.lag.get(0) == 0)
            assert memory.bodies == []
            await producer.commit_transaction()
        await until(lambda: memory.bodies == [b"in 0", b"in 1", b"in 2", b"behind it"])


async def test_under_latest_a_transaction_under_way_at_the_first_start_is_read_when_it_commits(
    settings: KafkaSourceSettings,
) -> None:
    settings = settings.model_copy(update={"auto_offset_reset": "latest"})
    memory = Memory()
    await create(settings)
    await send(settings, b"before us")
    async with transaction(settings, 2) as producer, running(settings, memory):
        await until(lambda: memory.settled(settings.topics[0]) == 1)
        await producer.commit_transaction()
        await until(lambda: memory.bodies == [b"in 0", b"in 1"])


async def test_a_compacted_topic_goes_on_though_the_record_before_the_place_is_gone(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    configs = {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.01",
    }
    await create(settings, 1, configs)
    await send(settings, *numbered(5))
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 5)
    # all have the same key; the last one is in the segment that is not compacted
    await send(settings, *numbered(1, 5))
    while await _first_offset(settings) < 5:
        await send(settings, *numbered(1, 6))
    async with running(settings, memory):
        await until(lambda: b"message 6" in memory.bodies)
        await until(lambda: memory.lag.get(0) == 0)
    assert memory.bodies[:5] == numbered(5)
    assert memory.bodies[-1] == b"message 6"
    assert memory.resets == []


async def _first_offset(settings: KafkaSourceSettings) -> int:
    """Of the records that are still there."""
    place = TopicPartition(settings.topics[0], 0)
    async with AIOKafkaConsumer(bootstrap_servers=list(settings.bootstrap_servers)) as consumer:
        consumer.assign([place])
        consumer.seek(place, 0)
        records = await consumer.getmany(place, timeout_ms=10_000)
    return int(records[place][0].offset)


async def test_a_tombstone_an_empty_message_and_one_of_20_mib_are_read(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    large = b"x" * (20 * MIB)
    await create(settings, 1, {"max.message.bytes": str(32 * MIB)})
    await send(settings, None, b"", large, b"after")
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 4)
        await until(lambda: memory.lag.get(0) == 0)
    assert memory.bodies == [b"", b"", large, b"after"]
    assert len(memory.origins) == 3  # the tombstone is not looked at


async def test_a_topic_that_does_not_exist_is_named_with_what_to_do_and_read_once_it_is_there(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    (topic,) = settings.topics
    with capture_logs() as logs:
        async with running(settings, memory) as source:
            await until(lambda: bool(memory.problems))
            assert source.problem == f"topic {topic}: the topic does not exist"
            await create(settings)
            await send(settings, b"1")
            await until(lambda: memory.bodies == [b"1"])
            await until(lambda: source.problem == "")
    assert memory.problems[-1] == {}
    told = next(entry for entry in logs if entry["event"] == "kafka source can't read")
    assert (told["source"], told["part"], told["log_level"]) == (
        "events",
        f"topic {topic}",
        "warning",
    )
    assert "create the topic, or correct sources.kafka.topics" in told["next"]


async def test_beside_a_topic_that_is_missing_the_others_are_read(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    await create(settings)
    await send(settings, b"1")
    both = settings.model_copy(update={"topics": (*settings.topics, "not-there")})
    async with running(both, memory) as source:
        await until(lambda: memory.bodies == [b"1"])
        assert source.problem == "topic not-there: the topic does not exist"


async def test_a_missing_topic_makes_no_lines_of_the_client(
    settings: KafkaSourceSettings, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as logs:
        async with running(settings, Memory()):
            await until(lambda: sum("can't read" in entry["event"] for entry in logs) >= 4)
    assert [record.getMessage() for record in caplog.records if record.levelno >= ERROR] == []


async def test_brokers_that_are_away_are_named_and_the_source_goes_on_when_they_are_back(
    settings: KafkaSourceSettings, own_kafka_server: KafkaServer
) -> None:
    """The broker crashes twice beside one source, and comes back at its address with its data."""
    server, memory = own_kafka_server, Memory()
    there = settings.model_copy(update={"bootstrap_servers": (server.bootstrap,)})
    await create(there)
    async with running(there, memory) as source:
        sent = [b"0"]
        await send(there, *sent)
        await until(lambda: memory.bodies == sent)
        assert source.problem == ""
        for body in (b"1", b"2"):
            await asyncio.to_thread(server.stop)
            await until(lambda: "brokers: no answer about the topics" in source.problem)
            await asyncio.to_thread(server.start)
            await send(there, body)
            sent.append(body)
            await until(lambda: source.problem == "" and memory.bodies == sent)
        await until(lambda: memory.lag.get(0) == 0)
    assert memory.bodies == sent
    assert memory.resets == []
    assert await committed(there, 0) == 3


async def test_brokers_that_are_away_at_the_start_are_waited_for(
    settings: KafkaSourceSettings, own_kafka_server: KafkaServer
) -> None:
    server, memory = own_kafka_server, Memory()
    there = settings.model_copy(update={"bootstrap_servers": (server.bootstrap,)})
    await create(there)
    await send(there, b"1")
    await asyncio.to_thread(server.stop)
    async with running(there, memory) as source:
        await until(lambda: "brokers: no answer about the topics" in source.problem)
        await asyncio.to_thread(server.start)
        await until(lambda: memory.bodies == [b"1"])
        await until(lambda: source.problem == "")
