"""Asks the store until it answers, and keeps the place in the group meanwhile; a stop ends it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from pointsman.domain.clock import Clock
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.log_steps import STORE_AWAY
from pointsman.sources.kafka.hooks import KafkaHooks
from pointsman.sources.kafka.rebalance import Assignment

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: seconds before the second try, and at most between two; twice as long after each
_FIRST, _LONGEST = 0.2, 15.0
#: seconds that the store may take before the partitions are paused
_SLOW = 2.0
#: seconds between the polls that tell the group we live
_ALIVE_EVERY = 1.0
#: seconds that a stop waits for the transaction under way
_LAST = 10.0


class StopSignal:
    """Ends all waiting of one source."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stop = asyncio.Event()
        self._jitter = random.Random()  # noqa: S311 - spreads retries, guards nothing

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()

    async def back_off(self, failures: int) -> None:
        """Wait before the next try after `failures` in a row; half of it is chance."""
        longest = min(_LONGEST, _FIRST * 2.0 ** min(failures, 10))
        await self.unless_stopped(self._clock.sleep(longest * self._jitter.uniform(0.5, 1.0)))

    async def unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of `work`; None when a stop came first, and `work` was cancelled."""
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


class StoreRetry:
    """Repeats calls of the store while it is unavailable.

    Two may be under way: the next messages are read while those before are committed.
    """

    def __init__(
        self,
        name: str,
        consumer: AIOKafkaConsumer,
        assignment: Assignment,
        hooks: KafkaHooks,
        stop_signal: StopSignal,
    ) -> None:
        self._name = name
        self._consumer = consumer
        self._assignment = assignment
        self._hooks = hooks
        self._stop_signal = stop_signal
        self._paused = False
        self._calls = 0

    async def call(
        self, request: Callable[[], Coroutine[Any, Any, T]], generation: int
    ) -> T | None:
        """What `request` returns, at last; a `StoreUnavailable` of it means another try.

        None when the partitions of `generation` went away first, or a stop came while the store
        was out: then nothing was stored.
        """
        failures = 0
        self._calls += 1
        try:
            while generation == self._assignment.generation:
                try:
                    with self._assignment.calling_store():
                        return await self._pausing_when_slow(request())
                except StoreUnavailable as error:
                    failures += 1
                    log.warning(
                        "kafka source waits for the store",
                        source=self._name,
                        error=str(error),
                        failures=failures,
                        next=STORE_AWAY,
                    )
                if self._stop_signal.stopped:
                    break
                await self._keep_alive()
                await self._stop_signal.back_off(failures)
            return None
        finally:
            self._calls -= 1
            if not self._calls:
                self.resume()

    def resume(self) -> None:
        """Fetch again, if it was paused."""
        if not self._paused:
            return
        self._paused = False
        self._hooks.on_paused(self._paused)
        with contextlib.suppress(KafkaError):
            self._consumer.resume(*self._consumer.paused())

    async def _pausing_when_slow(self, work: Coroutine[Any, Any, T]) -> T:
        """`work`, with the partitions paused while it takes long."""
        task = asyncio.ensure_future(work)
        left = _LAST
        try:
            await asyncio.wait({task}, timeout=_SLOW)
            while not task.done():
                if self._stop_signal.stopped:
                    left -= _ALIVE_EVERY
                if left < 0:
                    raise StoreUnavailable("the store took too long for a stop")
                await self._keep_alive()
                await asyncio.wait({task}, timeout=_ALIVE_EVERY)
            return task.result()
        finally:
            task.cancel()

    async def _keep_alive(self) -> None:
        """Poll without fetching, so that the group doesn't take us for dead."""
        if not self._paused:
            self._paused = True
            self._hooks.on_paused(self._paused)
        with contextlib.suppress(KafkaError):
            self._consumer.pause(*self._consumer.assignment())
            for place, records in (await self._consumer.getmany(timeout_ms=0)).items():
                # The group dealt between the two calls; these are for later.
                self._consumer.seek(place, records[0].offset)
