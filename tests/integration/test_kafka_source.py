"""The Kafka source against a real broker; the store is in memory and fails on demand."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, MutableMapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from structlog.testing import capture_logs

from demo.broker import Broker
from demo.processes import PATIENCE, free_port
from pointsman.domain.log_positions import Position
from pointsman.domain.records import Submission
from pointsman.sources.kafka import store_retry
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.source import READ_AHEAD, KafkaSource
from tests.support.kafka_source import (
    Memory,
    committed,
    group_member,
    numbered,
    running,
    send,
    until,
)

GROUP = "pointsman"


@pytest.fixture
def settings(broker: Broker, topic: str) -> KafkaSourceSettings:
    return KafkaSourceSettings(
        name="events",
        bootstrap_servers=tuple(broker.bootstrap.split(",")),
        topics=(topic,),
        group_id=f"{GROUP}-{uuid.uuid4().hex}",
    )


async def test_every_message_is_read_and_moves_its_position(settings: KafkaSourceSettings) -> None:
    memory = Memory()
    await send(settings, b'{"id": 1}', b"[{}, {}]", b"\xff not JSON", None, b"")
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 5)
    assert memory.bodies == [b'{"id": 1}', b"[{}, {}]", b"\xff not JSON", b"", b""]
    assert memory.kept[settings.topics[0], 0].offset == 5
    assert memory.origins[2] == f"topic {settings.topics[0]}, partition 0, offset 2"
    assert len(memory.origins) == 4  # a tombstone is not read


async def test_our_position_wins_over_the_groups(settings: KafkaSourceSettings) -> None:
    memory = Memory()
    topic = settings.topics[0]
    await send(settings, *numbered(10))
    await send(settings, *numbered(10), partition=1)
    async with group_member(settings) as consumer:
        await consumer.commit({TopicPartition(topic, 0): 9, TopicPartition(topic, 1): 8})
    memory.kept[topic, 0] = Position(settings.group_id, topic, 0, 4)
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 8)
    assert [one.body for one in memory.stored if _part(one) == 0] == numbered(6, 4)
    assert [one.body for one in memory.stored if _part(one) == 1] == numbered(2, 8)


def _part(submission: Submission) -> int:
    assert submission.position is not None
    return submission.position.partition


async def test_a_restart_goes_on_where_the_store_stands(settings: KafkaSourceSettings) -> None:
    memory = Memory()
    await send(settings, *numbered(5))
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 5)
    await send(settings, *numbered(5, 5))
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 10)
    assert memory.bodies == numbered(10)


async def test_a_stop_commits_to_the_broker(settings: KafkaSourceSettings) -> None:
    memory = Memory()
    await send(settings, *numbered(7), partition=2)
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 7)
    assert await committed(settings, 2) == 7


async def test_a_partition_that_another_replica_takes_is_not_ours_any_longer(
    settings: KafkaSourceSettings,
) -> None:
    first, second = Memory(), Memory()
    async with running(settings, first):
        await until(lambda: len(first.assigned) == 3)
        async with running(settings, second):
            await until(
                lambda: (
                    bool(second.assigned)
                    and first.assigned.isdisjoint(second.assigned)
                    and len(first.assigned | second.assigned) == 3
                )
            )


async def test_the_lag_is_told_and_falls_to_nothing(settings: KafkaSourceSettings) -> None:
    memory = Memory()
    await send(settings, *numbered(3))
    async with running(settings, memory):
        await until(lambda: memory.lag.get(0) == 0 and len(memory.stored) == 3)


async def test_two_members_split_and_one_may_leave(settings: KafkaSourceSettings) -> None:
    memory = Memory()
    first, second = Memory(), Memory()
    for member in (first, second):
        member.stored, member.kept = memory.stored, memory.kept
    sent = [f"{part}: {number}".encode() for part in range(3) for number in range(60)]

    async def feed(numbers: range) -> None:
        for number in numbers:
            for part in range(3):
                await send(settings, f"{part}: {number}".encode(), partition=part)

    with capture_logs() as logs:
        dealt = _dealt(logs)
        async with running(settings, first):
            await until(lambda: 3 in dealt())
            async with running(settings, second):
                feeding = asyncio.create_task(feed(range(30)))
                await until(lambda: dealt()[-2:] in ([1, 2], [2, 1]))
                await feeding
                feeding = asyncio.create_task(feed(range(30, 60)))
            await feeding
            await until(lambda: set(memory.bodies) >= set(sent))
            await until(lambda: dealt()[-1] == 3)
    assert sorted(memory.bodies) == sorted(sent)  # graceful hand-overs do not even repeat


def _dealt(logs: Sequence[object]) -> Callable[[], list[int]]:
    def sizes() -> list[int]:
        return [
            len(entry["partitions"])
            for entry in logs
            if isinstance(entry, dict) and entry["event"] == "kafka partitions assigned"
        ]

    return sizes


async def test_an_outage_of_the_store_pauses_and_loses_nothing(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    async with running(settings, memory):
        await send(settings, *numbered(3))
        await until(lambda: len(memory.stored) == 3)
        memory.out = True
        await send(settings, *numbered(3, 3))
        await until(lambda: memory.refused >= 3)
        await send(settings, *numbered(3, 6))
        assert memory.paused == [True]
        memory.out = False
        await until(lambda: len(memory.stored) == 9)
        assert memory.paused == [True, False]
    assert memory.bodies == numbered(9)


async def test_a_store_that_is_out_at_the_start_is_waited_for(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    memory.out = True
    await send(settings, *numbered(3))
    async with running(settings, memory):
        await until(lambda: memory.paused == [True])
        memory.out = False
        await until(lambda: len(memory.stored) == 3)
    assert memory.bodies == numbered(3)


async def test_a_slow_transaction_pauses_until_it_is_done(settings: KafkaSourceSettings) -> None:
    memory = Memory()
    memory.slow.clear()
    await send(settings, *numbered(3))
    async with running(settings, memory):
        await until(lambda: memory.paused == [True])
        memory.slow.set()
        await until(lambda: len(memory.stored) == 3)
        await until(lambda: memory.paused == [True, False])
    assert memory.bodies == numbered(3)


@asynccontextmanager
async def commits_held(
    settings: KafkaSourceSettings,
    memory: Memory,
    *values: bytes,
    read_ahead: int = READ_AHEAD,
    slow: float = PATIENCE,
) -> AsyncIterator[KafkaSource]:
    """A source with commits of one message each, which wait for `memory.slow` after the first.

    What takes longer than `slow` seconds pauses the partitions.
    """
    await send(settings, b"first")
    one_each = settings.model_copy(update={"max_records": 1})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_retry, "_SLOW", slow)
        async with running(one_each, memory, read_ahead) as source:
            await until(lambda: memory.bodies == [b"first"])
            memory.slow.clear()
            await send(settings, *values)
            yield source


async def test_messages_are_read_while_those_before_are_committed_one_fetch_ahead(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    async with commits_held(settings, memory, *numbered(4)):
        await until(lambda: len(memory.origins) == 3)
        assert memory.bodies == [b"first"]
        memory.slow.set()
        await until(lambda: len(memory.stored) == 5)
    assert memory.bodies == [b"first", *numbered(4)]
    assert len(memory.origins) == 5


@pytest.mark.parametrize("read_ahead", [0, 2 * len(numbered(1)[0]) - 1])
async def test_more_bytes_than_may_be_read_ahead_wait_for_the_commit_before(
    settings: KafkaSourceSettings, read_ahead: int
) -> None:
    memory = Memory()
    async with commits_held(settings, memory, *numbered(2), read_ahead=read_ahead, slow=0.1):
        await until(lambda: memory.paused == [True])
        assert len(memory.origins) == 2
        memory.slow.set()
        await until(lambda: len(memory.stored) == 3)
    assert memory.bodies == [b"first", *numbered(2)]


async def test_what_was_read_ahead_of_a_lost_partition_is_not_stored(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    async with commits_held(settings, memory, *numbered(3)):
        await until(lambda: len(memory.origins) == 3)
        await memory.claim(settings.group_id, [(settings.topics[0], 0)])
        memory.slow.set()
        await until(lambda: len(memory.stored) == 4)
    assert memory.fenced == 1
    assert memory.bodies == [b"first", *numbered(3)]


async def test_what_was_read_ahead_of_messages_that_were_not_stored_is_not_stored_before_them(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    async with commits_held(settings, memory, *numbered(2)) as source:
        await until(lambda: len(memory.origins) == 3)
        # the commit under way fails at the stop, and is not tried again; the next would not fail
        memory.outages = 1
        await source.stop()
        memory.slow.set()
    assert memory.refused == 1
    assert memory.bodies == [b"first"]
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 3)
    assert memory.bodies == [b"first", *numbered(2)]


async def test_a_stop_waits_for_the_commit_under_way(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    async with commits_held(settings, memory, *numbered(1)) as source:
        await until(lambda: len(memory.origins) == 2)
        await source.stop()
        memory.slow.set()
    assert memory.bodies == [b"first", *numbered(1)]
    assert await committed(settings, 0) == 2


async def test_a_stop_during_an_outage_ends_and_leaves_the_batch(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    memory.out = True
    await send(settings, *numbered(3))
    async with running(settings, memory):
        await until(lambda: memory.paused == [True])
    assert memory.stored == []
    memory.out = False
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 3)


async def test_a_position_out_of_range_is_an_error_and_starts_over(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    topic = settings.topics[0]
    await send(settings, *numbered(3))
    memory.kept[topic, 0] = Position(settings.group_id, topic, 0, 1000)
    with capture_logs() as logs:
        async with running(settings, memory):
            await until(lambda: len(memory.stored) == 3)
    (error,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert (error["topic"], error["partition"], error["offset"]) == (topic, 0, 1000)
    assert memory.bodies == numbered(3)


async def test_a_broker_that_is_not_there_is_tried_again(settings: KafkaSourceSettings) -> None:
    server = f"127.0.0.1:{free_port()}"
    with capture_logs() as logs:

        def failures() -> list[MutableMapping[str, Any]]:
            return [
                entry for entry in logs if entry["event"].startswith("kafka source interrupted")
            ]

        async with running(settings.model_copy(update={"bootstrap_servers": (server,)}), Memory()):
            await until(lambda: len(failures()) >= 2)
    assert {(entry["source"], entry["servers"]) for entry in failures()} == {("events", server)}


async def test_a_source_whose_partitions_somebody_claimed_stores_nothing_and_joins_anew(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    async with running(settings, memory):
        await send(settings, b"1")
        await until(lambda: memory.bodies == [b"1"])
        await memory.claim(settings.group_id, [(settings.topics[0], 0)])
        await send(settings, b"2", b"3")
        await until(lambda: memory.bodies == [b"1", b"2", b"3"])
        assert memory.fenced
