"""Tells each settled delivery to a topic, at least once: what waits to be told is in the store."""

from __future__ import annotations

import asyncio
import random
from typing import Protocol

import structlog

from pointsman.delivery.settled_deliveries import CONTENT_TYPE, cloud_event, settled_deliveries
from pointsman.domain.backoff import Backoff
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import InputRefused, Retry
from pointsman.domain.log_steps import NOTHING
from pointsman.store.base import Store
from pointsman.store.history_records import HistoryTurn

log = structlog.get_logger(__name__)

#: one of several replicas tells; it has the duty for so long without renewing it, seconds
DUTY, _DUTY_TTL = "delivery events", 30.0
#: turns told in one go, and how often it is looked for more, seconds
_AT_ONCE, _EVERY = 200, 1.0
#: how long to wait for a broker or a store that is away
_PAUSE = Backoff(1.0, 60.0)

_HEADERS = [("content-type", CONTENT_TYPE.encode())]


class TopicWriter(Protocol):
    """Writes to a topic; opened before, and closed at the end."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def write(
        self, body: bytes, headers: list[tuple[str, bytes]], key: bytes | None = None
    ) -> None:
        """One key is one partition, whose messages stay in order.

        Raises `Retry`, and `InputRefused` for what is too large.
        """
        ...


class DeliveryEvents:
    """Runs until cancelled. `source` names the installation in the events."""

    def __init__(self, store: Store, topic: TopicWriter, clock: Clock, source: str) -> None:
        self._store = store
        self._topic = topic
        self._clock = clock
        self._source = source
        self._jitter = random.Random()  # noqa: S311 - spreads retries, guards nothing

    async def run(self) -> None:
        await self._topic.open()
        try:
            await self._tell_all()
        finally:
            await self._topic.close()

    async def _tell_all(self) -> None:
        failures = 0
        while True:
            try:
                while await self.tell_some():
                    failures = 0
                pause = _EVERY
            except Retry as error:
                failures += 1
                pause = _PAUSE.seconds(failures, self._jitter)
                log.warning(
                    "delivery events wait",
                    reason=str(error),
                    next="see that delivery_events names the right brokers and a topic that takes "
                    "writes; what waits is kept, and published by itself",
                )
            await self._clock.sleep(pause)

    async def tell_some(self) -> bool:
        """Tell what waits, as much as fits into one go; whether there may be more.

        Raises `Retry`, after which some of it may have been told, and is told again.
        """
        now = micros(self._clock.now())
        if not await self._store.acquire_duty(DUTY, now=now, ttl=micros(_DUTY_TTL)):
            return False
        turns = await self._store.unpublished_turns(limit=_AT_ONCE)
        if not turns:
            return False
        # in their order: what is of one learner goes to one partition
        await asyncio.gather(*map(self._tell, turns))
        await self._store.turns_published([turn.id for turn in turns])
        return len(turns) == _AT_ONCE

    async def _tell(self, turn: HistoryTurn) -> None:
        for delivery in settled_deliveries(turn):
            event, key = cloud_event(delivery, self._source), turn.learner.encode()
            try:
                await self._topic.write(event, _HEADERS, key)
            except InputRefused as error:
                log.warning(
                    "a delivery event is not published",
                    id=delivery.id,
                    reason=str(error),
                    next=NOTHING,
                )
