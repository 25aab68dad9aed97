"""Decides where reading starts in each partition. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from aiokafka import ConsumerRecord, TopicPartition

from pointsman.domain.log_positions import UNREAD, WHOLE_TOPIC, Position
from pointsman.sources.kafka.topic_logs import TopicLog, is_same_log


class StartAt(StrEnum):
    """Where reading starts."""

    #: at the offset that is stored
    STORED = "stored"
    #: at the group's own commit where there is one, else where `auto_offset_reset` says
    COMMIT_OR_RESET = "commit_or_reset"
    #: where `auto_offset_reset` says: the stored offset counts in another log
    RESET = "reset"
    #: at the beginning: the partition came to the topic after we did
    BEGINNING = "beginning"
    #: nowhere yet: the cluster does not have it now
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Start:
    """One partition, as claimed, and the log that it is now."""

    stored: Position
    log_id: str
    at: StartAt

    @property
    def place(self) -> TopicPartition:
        return TopicPartition(self.stored.topic, self.stored.partition)


def start_places(claimed: Iterable[Position], logs: Mapping[str, TopicLog]) -> list[Start]:
    """Where each partition starts; `claimed` has the rows of the whole topics as well."""
    claimed = list(claimed)
    wholes = {row.topic: row for row in claimed if row.partition == WHOLE_TOPIC}
    return [
        _start(row, wholes.get(row.topic), logs.get(row.topic, _NO_LOG))
        for row in claimed
        if row.partition != WHOLE_TOPIC
    ]


_NO_LOG = TopicLog("", 0)


def _start(stored: Position, whole: Position | None, log: TopicLog) -> Start:
    if stored.partition >= log.partitions:
        return Start(stored, stored.log_id, StartAt.ABSENT)
    if stored.offset != UNREAD and is_same_log(stored.log_id, log.log_id):
        return Start(stored, log.log_id, StartAt.STORED)
    came_later = (
        whole is not None
        and whole.offset != UNREAD
        and is_same_log(whole.log_id, log.log_id)
        and stored.partition >= whole.offset
    )
    if came_later:
        return Start(stored, log.log_id, StartAt.BEGINNING)
    at = StartAt.COMMIT_OR_RESET if stored.offset == UNREAD else StartAt.RESET
    return Start(stored, log.log_id, at)


def whole_topics(claimed: Iterable[Position], logs: Mapping[str, TopicLog]) -> list[Position]:
    """The rows of topics to store: those that the group has now come to for the first time."""
    return [
        Position(row.group, row.topic, row.partition, log.partitions, row.token, log.log_id)
        for row in claimed
        if row.partition == WHOLE_TOPIC
        and (log := logs.get(row.topic, _NO_LOG)).partitions
        and (row.offset == UNREAD or not is_same_log(row.log_id, log.log_id))
    ]


@dataclass(frozen=True, slots=True)
class RecordMark:
    """What a record is known again by: another log has another one at its offset."""

    offset: int
    #: milliseconds, as Kafka gives it
    timestamp: int
    checksum: int

    @classmethod
    def of(cls, record: ConsumerRecord) -> RecordMark:
        return cls(record.offset, record.timestamp, zlib.crc32(record.value or b""))

    @classmethod
    def text_of(cls, record: ConsumerRecord) -> str:
        """As text at once, for each record that is read has one."""
        return f"{record.offset} {record.timestamp} {zlib.crc32(record.value or b'')}"

    @classmethod
    def from_text(cls, text: str) -> RecordMark | None:
        """None for "", which is where nothing was stored."""
        return cls(*map(int, text.split())) if text else None

    def __str__(self) -> str:
        return f"{self.offset} {self.timestamp} {self.checksum}"
