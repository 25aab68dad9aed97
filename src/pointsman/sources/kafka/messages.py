"""Turns Kafka records into submissions. Pure: what is read depends on nothing but the record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import orjson
from aiokafka import ConsumerRecord, TopicPartition

from pointsman.domain.clock import Clock, micros
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

    def read_message(self, message: LogMessage) -> Submission: ...

    @property
    def ingest(self) -> Callable[[Sequence[Submission]], Awaitable[Sequence[Receipt]]]: ...


def origin_of(record: ConsumerRecord) -> str:
    """Where a record came from, for a person."""
    return f"topic {record.topic}, partition {record.partition}, offset {record.offset}"


def read_record(
    intake: MessageReader,
    settings: KafkaSourceSettings,
    position: Position,
    record: ConsumerRecord,
    clock: Clock,
) -> Submission:
    """One record; `position` is after it.

    A tombstone (a record without a value) says nothing, and only moves the position.
    """
    if record.value is None:
        return Submission(
            settings.name, b"", micros(clock.now()), (), position=position, all_or_nothing=False
        )
    headers = _headers(record) if record.headers else _NO_HEADERS
    kind = headers.get("content-type", "")
    return intake.read_message(
        LogMessage(
            settings.name,
            record.value,
            origin_of(record),
            position,
            content_type=kind if kind and media_type(kind) in _KINDS else None,
            version="2.0.0" if headers.get(_VERSION, "").startswith("2.") else "1.0.0",
            max_statements=settings.max_statements,
            former_ids=_former_ids(headers[FORMER_IDS]) if FORMER_IDS in headers else _NO_HEADERS,
            trace_headers={name: headers[name] for name in _TRACE if name in headers}
            if headers
            else _NO_HEADERS,
        )
    )


def _headers(record: ConsumerRecord) -> dict[str, str]:
    return {name.lower(): value.decode("latin-1") for name, value in record.headers if value}


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
