"""The purse: nothing is sent to the platform that it has not paid for.

Set aside in slices, which are written down before they are used: after a crash the books of the
running window come back with everything that may have been spent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pointsman.delivery.budget.fair_lock import FairLock
from pointsman.delivery.budget.quota_window import SECONDS, QuotaLimits, QuotaWindow, Reservation
from pointsman.domain.clock import Clock, micros
from pointsman.platforms.base import PlatformAnswer, RequestOutcome
from pointsman.store.base import Window

#: a window is set aside in about so many slices
_SLICES = 20
#: seconds; less than this is lost in the rounding of a clock that has run for long
_SHORTEST = 1e-4
#: added to a window that another process opened, whose first answer we did not see
_RESTORED_MARGIN = 2.0


class WindowStore(Protocol):
    """Where the books of the window survive a crash: the store."""

    async def window(self) -> Window | None: ...

    async def save_window(self, window: Window) -> None: ...


@dataclass(frozen=True, slots=True)
class Spent:
    """Gauges for the metrics page: what this window still allows, and what a whole one does."""

    points_left: int
    requests_left: int
    points_limit: int
    requests_limit: int


class Budget(Protocol):
    """A quota of points and requests that is never overdrawn. One contract suite tests them all."""

    async def open(self) -> None: ...

    async def ready(self) -> None:
        """Wait until one request of one point could be sent."""
        ...

    async def reserve(self, points: int, *, give_up_at: float) -> Reservation | None:
        """Wait for the right to send one request now; None when it would come too late.

        `give_up_at` is on the clock's monotonic scale.
        """
        ...

    def settle(self, reservation: Reservation, delivery: PlatformAnswer) -> None:
        """The answer to what was reserved: its headers correct the books."""
        ...

    def soon(self, seconds: float) -> int:
        """About how many requests may be sent within so many seconds, at least 1."""
        ...

    def spent(self) -> Spent: ...


class LocalBudget:
    """The budget of a single daemon, its window written to the store."""

    def __init__(self, limits: QuotaLimits, clock: Clock, ledger: WindowStore) -> None:
        self._limits = limits
        self._clock = clock
        self._ledger = ledger
        self._window = QuotaWindow(limits)
        self._turns = FairLock(clock)
        #: (window's number, points, requests) that are written down as spent
        self._saved = (-1, 0, 0)

    async def open(self) -> None:
        """Take up the window that was running when the last process ended."""
        saved = await self._ledger.window()
        if saved is not None:
            # a clock that was set back must not make the window longer than windows are
            left = min(saved.ends_at / 1e6 - self._clock.now(), SECONDS) + _RESTORED_MARGIN
            now = self._clock.monotonic()
            self._window.restore(now, now + left, saved.points, saved.requests)

    async def ready(self) -> None:
        await self._turns.take(float("inf"))
        try:
            await self._wait(1, give_up_at=float("inf"))
        finally:
            self._turns.give_back()

    async def reserve(self, points: int, *, give_up_at: float) -> Reservation | None:
        if not await self._turns.take(give_up_at):
            return None
        try:
            if not await self._wait(points, give_up_at=give_up_at):
                return None
            reservation = self._window.take(self._clock.monotonic(), points)
            try:
                await self._set_aside()
            except BaseException:
                # paid for and never sent: the points are gone, but nothing is on its way
                self._window.settle(self._clock.monotonic(), reservation)
                raise
            return reservation
        finally:
            self._turns.give_back()

    def settle(self, reservation: Reservation, delivery: PlatformAnswer) -> None:
        now = self._clock.monotonic()
        rate = delivery.rate
        self._window.settle(
            now, reservation, points_left=rate.points_left, resets_in=rate.resets_in
        )
        if delivery.answer is RequestOutcome.THROTTLED:
            self._window.throttle(now, rate.retry_after)

    def soon(self, seconds: float) -> int:
        return max(1, int(seconds * self._limits.requests / 60))

    def spent(self) -> Spent:
        left = self._window.left(self._clock.monotonic())
        return Spent(*left, self._limits.points, self._limits.requests)

    async def _wait(self, points: int, *, give_up_at: float) -> bool:
        while True:
            now = self._clock.monotonic()
            at = self._window.next_at(now, points)
            if max(at, now) > give_up_at:
                return False
            if at <= now:
                return True
            await self._clock.sleep(max(at - now, _SHORTEST))

    async def _set_aside(self) -> None:
        window = self._window
        number, points, requests = self._saved
        if number == window.number and points >= window.points and requests >= window.requests:
            return
        points = window.points + self._limits.points // _SLICES
        requests = window.requests + self._limits.requests // _SLICES
        self._saved = (window.number, points, requests)
        left = window.ends_at - self._clock.monotonic()
        await self._ledger.save_window(Window(micros(self._clock.now() + left), points, requests))
