"""Time, injected: nothing in pointsman asks the operating system for it but `SystemClock`."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

MICROSECONDS = 1_000_000
#: Linux stops CLOCK_MONOTONIC while it is suspended, and the platform's windows go on
_SLEEP_COUNTS: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """The time, and waiting for it.

    `now` is wall time as Unix seconds: for stamps, and for whatever outlives the process.
    `monotonic` never jumps, and goes on while the machine sleeps: for windows, leases in memory
    and pacing.
    """

    def now(self) -> float: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The real time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        if _SLEEP_COUNTS is None:
            return time.monotonic()
        return time.clock_gettime(_SLEEP_COUNTS)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


def micros(seconds: float) -> int:
    """Unix seconds as whole microseconds, the unit of every stored time."""
    return round(seconds * MICROSECONDS)
