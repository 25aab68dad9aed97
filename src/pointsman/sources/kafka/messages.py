"""Turns Kafka records into submissions. Pure: what is read depends on nothing but the record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Protocol

import orjson
from aiokafka import ConsumerRecord, TopicPartition

from pointsman.domain.clock import Clock, micros
from pointsman.domain.frozen import record
from pointsman.domain.log_positions import Position
from pointsman.domain.records import Receipt, Submission
from pointsman.sources.batch import FORMER_IDS, LogMessage
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.statements import media_type

#: what a message's header may say of it; whatever else it says, the message is looked at
_KINDS = ("application/json", "multipart/mixed")
#: W3C's Trace Context
_TRACE = ("traceparent", "tracestate")
_VERSION = "x-experience-api-version"
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class MessageReader(Protocol):
    """The pipeline, as the source sees it."""

    async def prepare(self, bodies: Iterable[bytes]) -> None: ...

    def read_messages(self, messages: Sequence[LogMessage]) -> list[Submission]: ...

    @property
    def ingest(self) -> Callable[[Sequence[Submission]], Awaitable[Sequence[Receipt]]]: ...


def origin_of(read: ConsumerRecord) -> str:
    """Where a record came from, for a person."""
    return f"topic {read.topic}, partition {read.partition}, offset {read.offset}"


@record
class Message:
    """A record, and the place after it."""

    record: ConsumerRecord
    after: Position


def read_records(
    intake: MessageReader,
    settings: KafkaSourceSettings,
    messages: Iterable[Message],
    clock: Clock,
) -> list[Submission]:
    """Messages as submissions, in their order; several messages may share one.

    A tombstone (a record without a value) says nothing, and only moves the position.
    """
    submissions: list[Submission] = []
    for is_tombstone, some in groupby(messages, lambda message: message.record.value is None):
        if is_tombstone:
            now = micros(clock.now())
            submissions += [
                Submission(settings.name, b"", now, (), position=one.after, all_or_nothing=False)
                for one in some
            ]
        else:
            submissions += intake.read_messages([_log_message(settings, one) for one in some])
    return submissions


def _log_message(settings: KafkaSourceSettings, message: Message) -> LogMessage:
    headers = _headers(message.record) if message.record.headers else _NO_HEADERS
    kind = headers.get("content-type", "")
    return LogMessage(
        settings.name,
        message.record.value,
        origin_of(message.record),
        message.after,
        content_type=kind if kind and media_type(kind) in _KINDS else None,
        version="2.0.0" if headers.get(_VERSION, "").startswith("2.") else "1.0.0",
        max_statements=settings.max_statements,
        former_ids=_former_ids(headers[FORMER_IDS]) if FORMER_IDS in headers else _NO_HEADERS,
        trace_headers={name: headers[name] for name in _TRACE if name in headers}
        if headers
        else _NO_HEADERS,
    )


def _headers(read: ConsumerRecord) -> dict[str, str]:
    return {name.lower(): value.decode("latin-1") for name, value in read.headers if value}


def _former_ids(header: str) -> dict[str, str]:
    """What our own forwarder wrote; whatever else is there says nothing."""
    try:
        former = orjson.loads(header)
    except orjson.JSONDecodeError:
        return {}
    texts = isinstance(former, dict) and all(isinstance(one, str) for one in former.values())
    return former if texts else {}


def next_offsets(places: Iterable[Position]) -> dict[TopicPartition, int]:
    """The next offset to read of every partition once all up to `places` is stored."""
    offsets: dict[TopicPartition, int] = {}
    for at in places:
        partition = TopicPartition(at.topic, at.partition)
        offsets[partition] = max(at.offset, offsets.get(partition, 0))
    return offsets
