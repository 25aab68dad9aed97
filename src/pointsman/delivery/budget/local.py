"""The budget of a single daemon, its window written to the store.

Points and requests are set aside in slices, which are stored before they are used: after a crash
the running window comes back with everything that may have been spent.
"""

from __future__ import annotations

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits, Reservation
from pointsman.delivery.budget.fair_lock import FairLock
from pointsman.delivery.budget.quota_window import QuotaWindow
from pointsman.domain.clock import Clock, micros
from pointsman.platforms.base import PlatformAnswer, RequestOutcome
from pointsman.store.base import Window, WindowLedger

#: a window is set aside in about so many slices
_SLICES = 20
#: seconds; less than this is lost in the rounding of a clock that has run for long
_SHORTEST_SLEEP = 1e-4
#: added to a window that another process opened, whose first answer we did not see
_RESTORED_MARGIN = 2.0


class LocalBudget:
    """A `Budget` of one daemon."""

    def __init__(self, limits: QuotaLimits, clock: Clock, store: WindowLedger) -> None:
        self._limits = limits
        self._clock = clock
        self._store = store
        self._window = QuotaWindow(limits)
        self._lock = FairLock(clock)
        #: (window's number, points, requests) that are written down as spent
        self._saved = (-1, 0, 0)

    async def open(self) -> None:
        """Take up the window that was running when the last process ended."""
        saved = await self._store.window()
        if saved is not None:
            # a clock that was set back must not make the window longer than windows are
            left = min(saved.ends_at / 1e6 - self._clock.now(), self._limits.window)
            now = self._clock.monotonic()
            ends_at = now + left + _RESTORED_MARGIN
            self._window.restore(now, ends_at, saved.points, saved.requests)

    async def close(self) -> None:
        """Nothing is under way."""

    async def wait_for_quota(self) -> None:
        await self._lock.acquire(float("inf"))
        try:
            await self._wait(1, give_up_at=float("inf"))
        finally:
            self._lock.release()

    async def reserve(self, points: int, *, give_up_at: float) -> Reservation | None:
        if not await self._lock.acquire(give_up_at):
            return None
        try:
            if not await self._wait(points, give_up_at=give_up_at):
                return None
            reservation = self._window.reserve(self._clock.monotonic(), points)
            try:
                await self._set_aside()
            except BaseException:
                # paid for and never sent: the points are gone, but nothing is on its way
                self._window.settle(self._clock.monotonic(), reservation)
                raise
            return reservation
        finally:
            self._lock.release()

    def settle(self, reservation: Reservation, answer: PlatformAnswer) -> None:
        now = self._clock.monotonic()
        rate = answer.rate
        self._window.settle(
            now, reservation, points_left=rate.points_left, resets_in=rate.resets_in
        )
        if answer.outcome is RequestOutcome.THROTTLED:
            self._window.throttle(now, rate.retry_after)
        elif rate.retry_after:
            self._window.block(now, rate.retry_after)

    def requests_within(self, seconds: float) -> int:
        return self._limits.requests_within(seconds)

    def left(self) -> QuotaLeft:
        return self._window.left(self._clock.monotonic())

    async def _wait(self, points: int, *, give_up_at: float) -> bool:
        while True:
            now = self._clock.monotonic()
            at = self._window.next_at(now, points)
            if max(at, now) > give_up_at:
                return False
            if at <= now:
                return True
            await self._clock.sleep(max(at - now, _SHORTEST_SLEEP))

    async def _set_aside(self) -> None:
        window = self._window
        number, points, requests = self._saved
        if number == window.number and points >= window.points and requests >= window.requests:
            return
        points = window.points + self._limits.points // _SLICES
        requests = window.requests + self._limits.requests // _SLICES
        self._saved = (window.number, points, requests)
        left = window.ends_at - self._clock.monotonic()
        await self._store.save_window(Window(micros(self._clock.now() + left), points, requests))
