"""Virtual time: an event loop whose clock jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from pointsman.domain.errors import PlatformUnreachable
from pointsman.emulator import Emulator
from pointsman.platforms.helium import HttpAnswer

T = TypeVar("T")

#: 2026-01-05T00:00:00Z: virtual wall time begins here
EPOCH = 1_767_571_200.0


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: where nothing is ready it moves time on by what it was asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout is None:
            raise RuntimeError("virtual time can't go on: all tasks wait, and none for a timer")
        if not events and timeout is not None and timeout > 0:
            self.time += timeout
        return events


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


class EmulatorTransport:
    """The real emulator without its socket. `latency` seconds pass each way."""

    def __init__(self, emulator: Emulator, api_key: str, latency: float = 0.02) -> None:
        self.emulator = emulator
        self.statuses: list[int] = []
        self._api_key = api_key
        self._latency = latency

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        await asyncio.sleep(self._latency)
        reply = await self.emulator.handle(
            query={"apiKey": self._api_key}, headers=headers, body=body
        )
        await asyncio.sleep(self._latency)
        self.statuses.append(reply.status)
        if reply.dropped:
            raise PlatformUnreachable("the connection was dropped")
        return HttpAnswer(reply.status, reply.headers, reply.body)

    async def close(self) -> None:
        pass
