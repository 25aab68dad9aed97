"""Waiting that a stop cuts short."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, TypeVar

from pointsman.domain.clock import Clock

T = TypeVar("T")

#: seconds before the second try, and at most between two; twice as long after each
_FIRST, _LONGEST = 0.2, 15.0


class StopSignal:
    """All waiting of one source, so that it has one end."""

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
