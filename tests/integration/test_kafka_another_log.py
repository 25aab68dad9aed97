"""A place counts in one log: topics made anew, other clusters, and partitions that are new.

Against a real broker, as public reports have it; the store is in memory.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import pytest
from aiokafka import TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete
from structlog.testing import capture_logs

from demo.broker import Broker, start_broker
from pointsman.domain.log_positions import Position
from pointsman.sources.kafka.hooks import ResetReason
from pointsman.sources.kafka.settings import KafkaSourceSettings
from tests.support.kafka_source import (
    Memory,
    admin,
    create,
    delete,
    group_member,
    grow,
    numbered,
    running,
    send,
    until,
)

#: what is in a topic that was made anew
ANEW = numbered(8, 100)


@pytest.fixture
def settings(broker: Broker) -> KafkaSourceSettings:
    """Of a topic that is not there yet."""
    return KafkaSourceSettings(
        name="events",
        bootstrap_servers=tuple(broker.bootstrap.split(",")),
        topics=(f"lessons-{uuid.uuid4().hex[:12]}",),
        group_id=f"group-{uuid.uuid4().hex}",
    )


def from_latest(settings: KafkaSourceSettings) -> KafkaSourceSettings:
    return settings.model_copy(update={"auto_offset_reset": "latest"})


async def make_anew(settings: KafkaSourceSettings, partitions: int = 3) -> None:
    await delete(settings)
    await create(settings, partitions)


@pytest.mark.parametrize("messages", [3, 5, 8], ids=["fewer", "as many", "more"])
async def test_a_topic_made_anew_while_stopped_is_read_from_its_beginning(
    settings: KafkaSourceSettings, messages: int
) -> None:
    memory = Memory()
    await create(settings)
    await send(settings, *numbered(5))
    async with running(settings, memory):
        await until(lambda: memory.bodies == numbered(5))
    old = memory.kept[settings.topics[0], 0]
    await make_anew(settings)
    await send(settings, *ANEW[:messages])
    with capture_logs() as logs:
        async with running(settings, memory):
            await until(lambda: memory.bodies == [*numbered(5), *ANEW[:messages]])
    new = memory.kept[settings.topics[0], 0]
    assert (new.offset, new.log_id != old.log_id) == (messages, True)
    warnings = [entry for entry in logs if "another log" in entry["event"]]
    (told,) = warnings
    assert (told["topic"], told["stored_log"], told["log"]) == (
        *settings.topics,
        old.log_id,
        new.log_id,
    )
    assert (told["partitions"], told["stored_offsets"]) == ([0, 1, 2], [5, 0, 0])
    assert (told["reads_from"], told["offsets"]) == ("earliest", [0, 0, 0])
    assert set(memory.resets) == {ResetReason.ANOTHER_LOG}


@pytest.mark.parametrize("messages", [20, 3_000])
async def test_a_topic_made_anew_while_running_is_read_from_its_beginning(
    settings: KafkaSourceSettings, messages: int
) -> None:
    memory = Memory()
    await create(settings)
    async with running(settings, memory):
        await send(settings, *numbered(5))
        await until(lambda: memory.bodies == numbered(5))
        await make_anew(settings)
        await send(settings, *numbered(messages, 100))
        await until(lambda: set(memory.bodies) == {*numbered(5), *numbered(messages, 100)})
        await until(lambda: memory.settled(settings.topics[0]) == messages)
        await until(lambda: memory.lag.get(0) == 0)


async def test_a_topic_made_anew_during_an_outage_of_the_store_is_read_from_its_beginning(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    await create(settings)
    async with running(settings, memory):
        await send(settings, *numbered(5))
        await until(lambda: memory.bodies == numbered(5))
        memory.out = True
        await send(settings, *numbered(1, 5))
        await until(lambda: memory.refused > 0)
        await make_anew(settings)
        await send(settings, *ANEW)
        memory.out = False
        await until(lambda: set(memory.bodies) >= {*numbered(5), *ANEW})


async def test_a_topic_made_anew_with_fewer_partitions_is_read(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    await create(settings)
    async with running(settings, memory):
        for partition in range(3):
            await send(settings, *numbered(2, 10 * partition), partition=partition)
        await until(lambda: len(memory.stored) == 6)
        await make_anew(settings, partitions=1)
        await send(settings, *ANEW)
        await until(lambda: set(memory.bodies) >= set(ANEW))
        await until(lambda: memory.assigned == {(settings.topics[0], 0)})
    assert memory.settled(settings.topics[0]) == len(ANEW)


async def test_under_latest_a_topic_made_anew_while_stopped_is_read_from_its_end(
    settings: KafkaSourceSettings,
) -> None:
    settings, memory = from_latest(settings), Memory()
    await create(settings)
    async with running(settings, memory):
        await until(lambda: memory.settled(settings.topics[0]) == 0)
        await send(settings, *numbered(5))
        await until(lambda: memory.bodies == numbered(5))
    await make_anew(settings)
    await send(settings, *ANEW)
    async with running(settings, memory):
        await until(lambda: ResetReason.ANOTHER_LOG in memory.resets)
        await until(lambda: memory.settled(settings.topics[0]) == len(ANEW))
        await send(settings, b"after")
        await until(lambda: memory.bodies == [*numbered(5), b"after"])


async def test_another_cluster_with_a_topic_of_the_same_name_is_read_from_its_beginning(
    settings: KafkaSourceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory()
    await create(settings)
    await send(settings, *numbered(5))
    async with running(settings, memory):
        await until(lambda: memory.bodies == numbered(5))
    # a second one, beside the one that this run has
    monkeypatch.delenv("POINTSMAN_TEST_KAFKA", raising=False)
    with start_broker() as other:
        moved = settings.model_copy(update={"bootstrap_servers": tuple(other.bootstrap.split(","))})
        await create(moved)
        await send(moved, *ANEW)
        async with running(moved, memory):
            await until(lambda: memory.bodies == [*numbered(5), *ANEW])


async def test_a_restored_topic_with_the_same_id_is_known_by_the_record_before_the_place(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    await create(settings)
    await send(settings, *numbered(8))
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 8)
    # as if the topic had been restored from an older copy, and filled with others since
    at = memory.kept[settings.topics[0], 0]
    memory.kept[settings.topics[0], 0] = replace(at, last_record="7 1 1")
    with capture_logs() as logs:
        async with running(settings, memory):
            await until(lambda: memory.bodies == numbered(8) * 2)
    (told,) = [entry for entry in logs if "another record" in entry["event"]]
    assert (told["topic"], told["partition"], told["offset"]) == (*settings.topics, 0, 7)


async def test_the_record_before_the_place_is_not_stored_twice(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    await create(settings)
    await send(settings, *numbered(3))
    for sent in (3, 4):
        async with running(settings, memory):
            await until(lambda count=sent: len(memory.stored) == count)  # type: ignore[misc]
            await until(lambda: memory.lag.get(0) == 0)
        await send(settings, *numbered(1, sent))
    assert memory.bodies == numbered(4)
    assert memory.resets == []


async def test_a_place_that_knows_no_log_is_taken_over_and_gets_one(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    await create(settings)
    await send(settings, *numbered(5))
    topic = settings.topics[0]
    memory.kept[topic, 0] = Position(settings.group_id, topic, 0, 3)  # of the version before
    async with running(settings, memory):
        await until(lambda: memory.bodies == numbered(2, 3))
        await until(lambda: memory.settled(topic, 1) == 0)
    assert "/" in memory.kept[topic, 0].log_id


async def test_under_latest_what_comes_to_a_silent_partition_while_stopped_is_read(
    settings: KafkaSourceSettings,
) -> None:
    settings, memory = from_latest(settings), Memory()
    await create(settings, partitions=2)
    topic = settings.topics[0]
    await send(settings, b"before us")
    async with running(settings, memory):
        await until(lambda: (memory.settled(topic, 0), memory.settled(topic, 1)) == (1, 0))
        await send(settings, b"p0-live")
        await until(lambda: memory.bodies == [b"p0-live"])
    await send(settings, b"p0-down")
    await send(settings, b"p1-down", partition=1)
    async with running(settings, memory):
        await until(lambda: set(memory.bodies) == {b"p0-live", b"p0-down", b"p1-down"})
        await send(settings, b"p1-live", partition=1)
        await until(lambda: b"p1-live" in memory.bodies)
    assert len(memory.bodies) == 4


async def test_under_latest_partitions_that_are_added_are_read_from_their_beginning(
    settings: KafkaSourceSettings,
) -> None:
    settings, memory = from_latest(settings), Memory()
    await create(settings, partitions=1)
    topic = settings.topics[0]
    await send(settings, b"before us")
    async with running(settings, memory):
        await until(lambda: memory.settled(topic) == 1)
    await grow(settings, 3)
    await send(settings, b"down", partition=1)
    async with running(settings, memory):
        await until(lambda: memory.bodies == [b"down"])
        await until(lambda: memory.settled(topic, 2) == 0)
        await grow(settings, 4)
        await send(settings, b"live", partition=3)
        await until(lambda: memory.bodies == [b"down", b"live"])


async def test_under_latest_two_members_that_come_one_after_the_other_lose_and_repeat_nothing(
    settings: KafkaSourceSettings,
) -> None:
    settings = from_latest(settings)
    first, second = Memory(), Memory()
    second.stored, second.kept, second.tokens = first.stored, first.kept, first.tokens
    await create(settings, partitions=2)
    topic = settings.topics[0]
    for partition in range(2):
        await send(settings, b"before us", partition=partition)
    async with running(settings, first):
        await until(lambda: first.settled(topic, 1) == 1)
        async with running(settings, second):
            # a rebalance before the first message
            for partition in range(2):
                await send(settings, b"%d" % partition, partition=partition)
            await until(lambda: set(first.bodies) == {b"0", b"1"})
            await until(lambda: len(second.assigned) == 1 == len(first.assigned))
        for partition in range(2):
            await send(settings, b"later %d" % partition, partition=partition)
        await until(lambda: len(first.bodies) == 4)
    assert sorted(first.bodies) == [b"0", b"1", b"later 0", b"later 1"]


async def test_under_latest_two_members_that_start_at_once_take_no_partition_for_a_new_one(
    settings: KafkaSourceSettings,
) -> None:
    settings = from_latest(settings)
    first, second = Memory(), Memory()
    second.stored, second.kept, second.tokens = first.stored, first.kept, first.tokens
    await create(settings, partitions=2)
    topic = settings.topics[0]
    for partition in range(2):
        await send(settings, b"before us", partition=partition)
    async with running(settings, first), running(settings, second):
        await until(lambda: len(second.assigned) == 1 == len(first.assigned))
        for partition in range(2):
            await send(settings, b"%d" % partition, partition=partition)
        await until(lambda: len(first.bodies) == 2)
    assert sorted(first.bodies) == [b"0", b"1"]
    assert (first.settled(topic, 0), first.settled(topic, 1)) == (2, 2)


async def test_another_group_starts_by_the_setting_whatever_the_first_one_has_read(
    settings: KafkaSourceSettings,
) -> None:
    memory, other = Memory(), Memory()
    await create(settings)
    await send(settings, *numbered(3))
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 3)
    renamed = settings.model_copy(update={"group_id": f"{settings.group_id}-2"})
    async with running(renamed, other):
        await until(lambda: other.bodies == numbered(3))


async def test_a_topic_that_is_dropped_from_the_settings_and_named_again_goes_on(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    second = settings.model_copy(update={"topics": (f"{settings.topics[0]}-b",)})
    both = settings.model_copy(update={"topics": (*settings.topics, *second.topics)})
    for one in (settings, second):
        await create(one)
        await send(one, *numbered(2))
    async with running(both, memory):
        await until(lambda: len(memory.stored) == 4)
    await send(second, *numbered(1, 2))
    async with running(settings, memory):
        await until(lambda: {topic for topic, _ in memory.assigned} == {settings.topics[0]})
    async with running(both, memory):
        await until(lambda: len(memory.stored) == 5)
    assert memory.resets == []


@pytest.mark.parametrize("reset", ["earliest", "latest"])
async def test_what_retention_removed_before_it_was_read_is_an_error_and_the_rest_is_read(
    settings: KafkaSourceSettings, reset: str
) -> None:
    settings, memory = settings.model_copy(update={"auto_offset_reset": reset}), Memory()
    await create(settings)
    async with running(settings, memory):
        await until(lambda: memory.settled(settings.topics[0]) == 0)
        await send(settings, *numbered(2))
        await until(lambda: len(memory.stored) == 2)
    await send(settings, *numbered(6, 2))
    async with admin(settings) as client:
        place = TopicPartition(settings.topics[0], 0)
        await client.delete_records({place: RecordsToDelete(before_offset=5)})
    with capture_logs() as logs:
        async with running(settings, memory):
            await until(lambda: memory.bodies == [*numbered(2), *numbered(3, 5)])
    (told,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert (told["topic"], told["partition"], told["offset"]) == (*settings.topics, 0, 2)
    assert memory.resets == [ResetReason.OUT_OF_RANGE]


async def test_retention_of_what_was_read_is_no_error(settings: KafkaSourceSettings) -> None:
    memory = Memory()
    await create(settings)
    await send(settings, *numbered(4))
    async with running(settings, memory):
        await until(lambda: len(memory.stored) == 4)
    async with admin(settings) as client:
        place = TopicPartition(settings.topics[0], 0)
        await client.delete_records({place: RecordsToDelete(before_offset=4)})
    await send(settings, *numbered(1, 4))
    with capture_logs() as logs:
        async with running(settings, memory):
            await until(lambda: memory.bodies == numbered(5))
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    assert memory.resets == []


async def test_a_commit_of_the_group_counts_where_the_store_knows_nothing(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    await create(settings)
    await send(settings, *numbered(5))
    async with group_member(settings) as consumer:
        await consumer.commit({TopicPartition(settings.topics[0], 0): 3})
    async with running(settings, memory):
        await until(lambda: memory.bodies == numbered(2, 3))


async def test_a_topic_that_is_deleted_is_told_and_read_when_it_comes_back(
    settings: KafkaSourceSettings,
) -> None:
    memory = Memory()
    await create(settings)
    async with running(settings, memory) as source:
        await send(settings, *numbered(5))
        await until(lambda: memory.bodies == numbered(5))
        await delete(settings)
        await until(lambda: "the topic does not exist" in source.problem)
        await create(settings)
        await send(settings, *ANEW)
        await until(lambda: set(memory.bodies) == {*numbered(5), *ANEW})
        await until(lambda: source.problem == "")
        await asyncio.sleep(0)
