"""Virtual time: an event loop whose clock jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

#: 2026-01-05T00:00:00Z: virtual wall time begins here, Unix seconds
EPOCH = 1_767_571_200.0
#: the operating system is asked for events of sockets and signals only once in so many turns
_TURNS_BETWEEN_LOOKS = 256


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: where nothing is ready it moves time on by what it was asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._turns += 1
        if timeout is None or self._turns % _TURNS_BETWEEN_LOOKS == 0:
            events = super().select(0)
            if events:
                return events
            if timeout is None:
                raise RuntimeError("virtual time can't go on: all tasks wait, and none for a timer")
        if timeout > 0:
            self.time += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """For code without threads and sockets: an hour of timers runs in milliseconds."""

    def __init__(self) -> None:
        self._virtual = _JumpingSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.time


class VirtualClock:
    """A `Clock` on the running loop's time."""

    def now(self) -> float:
        return EPOCH + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
