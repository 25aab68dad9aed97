"""Kafka records as submissions. Pure: what is read depends on nothing but the record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from aiokafka import ConsumerRecord, TopicPartition

from pointsman.domain.clock import Clock, micros
from pointsman.domain.records import Position, Receipt, Submission
from pointsman.statements import media_type

#: what a message's header may say of it; whatever else it says, the message is looked at
_KINDS = ("application/json", "multipart/mixed")


class MessageReader(Protocol):
    """What the source asks of the intake loop."""

    async def prepare(self, bodies: Iterable[bytes]) -> None: ...

    def read_message(
        self,
        source: str,
        body: bytes,
        *,
        position: Position,
        origin: str,
        content_type: str | None = None,
        version: str = "1.0.0",
    ) -> Submission: ...

    @property
    def ingest(self) -> Callable[[Sequence[Submission]], Awaitable[Sequence[Receipt]]]: ...


def submission(
    intake: MessageReader, source: str, position: Position, record: ConsumerRecord, clock: Clock
) -> Submission:
    """One record; `position` is after it.

    A tombstone (a record without a value) says nothing, and only moves the position.
    """
    if record.value is None:
        return Submission(
            source, b"", micros(clock.now()), (), position=position, all_or_nothing=False
        )
    origin = f"topic {record.topic}, partition {record.partition}, offset {record.offset}"
    headers = {name.lower(): value.decode("latin-1") for name, value in record.headers if value}
    kind = headers.get("content-type", "")
    return intake.read_message(
        source,
        record.value,
        position=position,
        origin=origin,
        content_type=kind if media_type(kind) in _KINDS else None,
        version="2.0.0"
        if headers.get("x-experience-api-version", "").startswith("2.")
        else "1.0.0",
    )


def ends(submissions: Iterable[Submission]) -> dict[TopicPartition, int]:
    """The next offset to read of every partition once `submissions` are stored."""
    found: dict[TopicPartition, int] = {}
    for one in submissions:
        if (at := one.position) is not None:
            place = TopicPartition(at.topic, at.partition)
            found[place] = max(at.offset, found.get(place, 0))
    return found
