"""Writes the statements of HTTP requests to a topic, for a Kafka source to store them.

They are validated here, so the player is told what is wrong; only what needs the store is not
known: an id that is taken by another statement becomes a dead letter where the topic is read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson

from pointsman.domain.clock import Clock, micros
from pointsman.sources.batch import FORMER_IDS, Accepted, StatementBatch
from pointsman.sources.players import add_launch_context, authorize_statements

#: writes a message with its headers
Write = Callable[[bytes, list[tuple[str, bytes]]], Awaitable[None]]
#: keeps what was not understood: source, body, reason, origin
KeepDeadLetter = Callable[[str, bytes, str, str], Awaitable[None]]


class KafkaForwarder:
    """Takes the pipeline's place for HTTP."""

    def __init__(self, write: Write, clock: Clock, keep_dead_letter: KeepDeadLetter) -> None:
        self._write = write
        self._keep_dead_letter = keep_dead_letter
        self._clock = clock

    async def accept(self, batch: StatementBatch) -> Accepted:
        """Write a batch; its statements' ids, in order, after the broker has them.

        Raises `InputRefused` when it is too large, `Forbidden` when its launch may not say it, and
        `StoreUnavailable`.
        """
        ids = [item.statement_id for item in batch.items]
        if ids:
            await self._write(_ready(batch).message, self._headers(batch))
        return Accepted(ids)

    async def keep_dead_letter(self, source: str, body: bytes, reason: str, origin: str) -> None:
        """To the store: a reader of the topic could say no more about it."""
        await self._keep_dead_letter(source, body, reason, origin)

    def _headers(self, batch: StatementBatch) -> list[tuple[str, bytes]]:
        return [
            ("source", batch.source.encode()),
            ("received_at", str(micros(self._clock.now())).encode()),
            ("content-type", batch.content_type.encode()),
            ("x-experience-api-version", batch.version.encode()),
            *([(FORMER_IDS, orjson.dumps(dict(batch.former_ids)))] if batch.former_ids else []),
        ]


def _ready(batch: StatementBatch) -> StatementBatch:
    """With the launch's context, and the ids that are answered, where it does not say its own."""
    says_its_ids = all(item.statement.id is not None for item in batch.items)
    if batch.launch is not None:
        authorize_statements(batch.launch, batch.items)
        batch = add_launch_context(batch, batch.launch)
    return batch if says_its_ids else with_ids(batch)


def with_ids(batch: StatementBatch) -> StatementBatch:
    """With an id in each statement, so that a reader of the topic finds those that are answered."""
    return batch.rewritten(
        [
            {**statement, "id": item.statement_id}
            for statement, item in zip(batch.statements, batch.items, strict=True)
        ]
    )
