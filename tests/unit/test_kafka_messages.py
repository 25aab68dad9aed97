"""Records become submissions that carry the position after them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from pydantic import SecretStr

from pointsman.domain.clock import SystemClock
from pointsman.domain.log_positions import Position
from pointsman.domain.records import Receipt, Submission
from pointsman.sources.batch import LogMessage
from pointsman.sources.kafka.messages import Message, next_offsets, read_records
from pointsman.sources.kafka.settings import KafkaSecurity, KafkaSourceSettings
from pointsman.sources.kafka.source import KafkaSource


class Reader:
    """An intake that notes what it is asked to read."""

    def __init__(self) -> None:
        self.origins: list[str] = []

    async def prepare(self, bodies: Iterable[bytes]) -> None:
        raise AssertionError(bodies)

    def read_messages(self, messages: Sequence[LogMessage]) -> list[Submission]:
        return [self._read(message) for message in messages]

    def _read(self, message: LogMessage) -> Submission:
        self.origins.append(message.origin)
        return Submission(
            message.source, message.body, 7, (), position=message.position, all_or_nothing=False
        )

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        raise AssertionError(submissions)


def record(value: bytes | None, offset: int = 41, partition: int = 2) -> ConsumerRecord:
    return ConsumerRecord(
        topic="lessons",
        partition=partition,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=None,
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=(),
    )


def read(reader: Reader, one: ConsumerRecord) -> Submission:
    after = Position("group", one.topic, one.partition, one.offset + 1)
    (made,) = read_records(reader, settings(), [Message(one, after)], SystemClock())
    return made


def test_a_record_is_read_with_the_offset_after_it_and_its_origin() -> None:
    reader = Reader()
    made = read(reader, record(b"{}"))
    assert (made.source, made.body) == ("events", b"{}")
    assert made.position == Position("group", "lessons", 2, 42)
    assert reader.origins == ["topic lessons, partition 2, offset 41"]


def test_a_tombstone_is_not_read_but_moves_the_position() -> None:
    reader = Reader()
    made = read(reader, record(None))
    assert reader.origins == []
    assert (made.body, made.items, made.dead) == (b"", (), ())
    assert made.position == Position("group", "lessons", 2, 42)
    assert not made.all_or_nothing


def test_an_empty_value_is_a_message_and_no_tombstone() -> None:
    reader = Reader()
    read(reader, record(b""))
    assert len(reader.origins) == 1


def test_the_end_of_a_batch_is_the_highest_position_of_each_partition() -> None:
    batch = [
        Position("group", "lessons", partition, offset + 1)
        for partition, offset in [(0, 5), (1, 9), (0, 6)]
    ]
    assert next_offsets(batch) == {
        TopicPartition("lessons", 0): 7,
        TopicPartition("lessons", 1): 10,
    }


def settings(server: str = "b:9092", security: KafkaSecurity | None = None) -> KafkaSourceSettings:
    return KafkaSourceSettings(
        name="events",
        bootstrap_servers=(server,),
        topics=("t",),
        group_id="g",
        security=security or KafkaSecurity(),
    )


def test_the_password_is_not_shown() -> None:
    security = KafkaSecurity(
        protocol="SASL_SSL", sasl_mechanism="PLAIN", username="u", password=SecretStr("hush")
    )
    assert "hush" not in repr(settings(security=security))


async def test_unusable_tls_files_are_retried_and_do_not_end_the_daemon(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()
    security = KafkaSecurity(protocol="SSL", ca_file=ca_file)
    ca_file.unlink()

    async def claim(group: str, _places: object) -> list[Position]:
        raise AssertionError(group)

    slept: list[float] = []

    class OneSleep(SystemClock):
        async def sleep(self, seconds: float) -> None:
            slept.append(seconds)
            await source.stop()
            await asyncio.sleep(0)

    source = KafkaSource(settings(security=security), Reader(), claim, OneSleep())
    await source.run()
    assert any(0 < seconds < 1 for seconds in slept)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_source_that_was_stopped_does_not_start(times: int) -> None:
    async def claim(group: str, _places: object) -> list[Position]:
        raise AssertionError(group)

    source = KafkaSource(settings("127.0.0.1:1"), Reader(), claim, SystemClock())
    for _ in range(times):
        await source.stop()
    await source.run()
