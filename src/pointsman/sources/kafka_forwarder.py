"""Statements over HTTP that go to a topic instead of the store; a Kafka source stores them later.

They are validated here, so the player is told what is wrong; only what needs the store is not
known: an id that is taken by another statement becomes a dead letter where the topic is read.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence

import orjson

from pointsman.domain.clock import Clock, micros
from pointsman.domain.launch import Launch
from pointsman.sources.batch import Accepted, valid_items
from pointsman.sources.players import add_launch_context, authorize_statements
from pointsman.statements import Limits, Valid, unpack

#: writes a message with its headers
Write = Callable[[bytes, list[tuple[str, bytes]]], Awaitable[None]]
#: keeps what was not understood: source, body, reason, origin
Bury = Callable[[str, bytes, str, str], Awaitable[None]]


class KafkaForwarder:
    """Takes `Intake`'s place for HTTP."""

    def __init__(self, write: Write, limits: Limits, clock: Clock, bury: Bury) -> None:
        self._write = write
        self._bury = bury
        self._limits = limits
        self._clock = clock

    async def submit_http(
        self,
        source: str,
        body: bytes,
        *,
        content_type: str = "application/json",
        version: str = "1.0.0",
        put_id: str | None = None,
        launch: Launch | None = None,
    ) -> Accepted:
        """One request's statements; their ids, in order, after the broker has them.

        Raises `StatementsRefused` when any is invalid, `InputRefused` when the body can't be read
        or is too large, `Forbidden` when the launch may not say it, and `StoreUnavailable`.
        """
        made: list[str] = []

        def new_id() -> str:
            made.append(put_id or str(uuid.uuid4()))
            return made[-1]

        package = unpack(body, content_type)
        valid = valid_items(package.statements, package.data, self._limits, new_id, put_id)
        if valid:
            passed_on = package.statements
            if launch is not None:
                authorize_statements(launch, valid)
                passed_on = add_launch_context(passed_on, valid, launch)
            if made:  # what already says its ids is passed on as it came
                passed_on = with_ids(passed_on, valid)
            body = body.replace(package.statements, passed_on, 1)
            at = str(micros(self._clock.now())).encode()
            headers = [
                ("source", source.encode()),
                ("received_at", at),
                ("content-type", content_type.encode()),
                ("x-experience-api-version", version.encode()),
            ]
            await self._write(body, headers)
        return Accepted([item.statement_id for item in valid])

    async def bury(self, source: str, body: bytes, reason: str, origin: str) -> None:
        """To the store: whoever reads the topic could say no more about it."""
        await self._bury(source, body, reason, origin)


def with_ids(body: bytes, items: Sequence[Valid]) -> bytes:
    """The body with an id in each statement, so that whoever reads it finds those we answered."""
    found = orjson.loads(body)
    statements = found if isinstance(found, list) else [found]
    for statement, item in zip(statements, items, strict=True):
        statement["id"] = item.statement_id
    return orjson.dumps(found)
