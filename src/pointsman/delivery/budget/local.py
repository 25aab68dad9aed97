"""The budget of a single daemon; what it sent is written to the store.

Points and requests are set aside for a moment ahead, and that is stored before they are used: after
a crash everything that may have been sent is known, and when.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits, Reservation
from pointsman.delivery.budget.fair_lock import FairLock
from pointsman.delivery.budget.quota_window import QuotaWindow
from pointsman.domain.clock import MICROSECONDS, Clock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.platforms.base import PlatformAnswer, RequestOutcome
from pointsman.store.base import Window, WindowLedger

#: seconds for which points and requests are set aside at once
_AHEAD = 0.25
#: seconds; less than this is lost in the rounding of a clock that has run for long
_SHORTEST_SLEEP = 1e-4
#: what was sent is stored by pieces of time of so many microseconds
_PIECE = 250_000
#: a platform that gives no answer says nothing of how long it takes
_NO_ANSWER = frozenset({RequestOutcome.UNREACHABLE})


@dataclass(slots=True)
class _SetAside:
    """What may be sent without asking the store."""

    until: float = float("-inf")
    requests: int = 0
    points: int = 0

    def take(self, now: float, points: int) -> bool:
        """One request of so many points; False where it is not set aside."""
        if now >= self.until or self.requests < 1 or self.points < points:
            return False
        self.requests -= 1
        self.points -= points
        return True


class LocalBudget:
    """A `Budget` of one daemon."""

    def __init__(self, limits: QuotaLimits, clock: Clock, store: WindowLedger) -> None:
        self._limits = limits
        self._clock = clock
        self._store = store
        self._window = QuotaWindow(limits)
        self._lock = FairLock(clock)
        self._aside = _SetAside()

    async def open(self) -> None:
        """Take up what the last process has sent."""
        saved = await self._store.window()
        if saved is None:
            return
        now = self._clock.monotonic()
        off = now - self._clock.now()
        lasts = self._window.log.lasts
        sent = saved.sent or ((saved.ends_at - micros(lasts), saved.requests, saved.points),)
        # a clock that was set back must not make it count for longer than a window
        latest = now + 1.0
        self._window.log.restore(
            (min(at / MICROSECONDS + off, latest), requests, points)
            for at, requests, points in sent
        )

    async def close(self) -> None:
        """Write down what was sent, and no more."""
        self._aside = _SetAside()
        with contextlib.suppress(StoreUnavailable):
            await self._store.save_window(self._sent(self._clock.monotonic()))

    def reconfigure(self, limits: QuotaLimits) -> None:
        self._limits = limits
        self._window.reconfigure(limits)
        # what was set aside was the other limits'
        self._aside = _SetAside()

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
            now = self._clock.monotonic()
            reservation = self._window.reserve(now, points)
            if self._aside.take(now, points):
                return reservation
            try:
                await self._set_aside(now, points)
            except BaseException:
                # paid for and never sent: the points are gone, but nothing is on its way
                now = self._clock.monotonic()
                self._window.settle(now, reservation, is_answer=False)
                raise
            return reservation
        finally:
            self._lock.release()

    def settle(self, reservation: Reservation, answer: PlatformAnswer) -> None:
        now = self._clock.monotonic()
        rate = answer.rate
        self._window.settle(
            now,
            reservation,
            points_left=rate.points_left,
            resets_in=rate.resets_in,
            is_answer=answer.outcome not in _NO_ANSWER,
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

    async def _set_aside(self, now: float, points: int) -> None:
        part = _AHEAD / self._limits.window
        aside = _SetAside(
            now + _AHEAD,
            max(1, round(self._limits.requests * part)),
            max(points, round(self._limits.points * part)),
        )
        await self._store.save_window(self._sent(now, aside))
        self._aside = aside

    def _sent(self, now: float, aside: _SetAside | None = None) -> Window:
        """What was sent, and what is set aside as if it was, at the last moment."""
        off = micros(self._clock.now() - now)
        moments = [
            (micros(at) + off, requests, points)
            for at, requests, points in self._window.log.entries(now)
        ]
        if aside is not None:
            # what is sent last may be counted as late as others were answered
            until = aside.until + self._window.log.longest_time
            moments.append((micros(until) + off, aside.requests, aside.points))
        pieces: dict[int, list[int]] = {}
        for at, requests, points in moments:
            piece = pieces.get(at // _PIECE)
            if piece is None:
                pieces[at // _PIECE] = [at, requests, points]
                continue
            piece[0] = max(piece[0], at)
            piece[1] += requests
            piece[2] += points
        sent = tuple((at, requests, points) for at, requests, points in pieces.values())
        return Window(
            max((at for at, _, _ in sent), default=0) + micros(self._window.log.lasts),
            sum(points for _, _, points in sent),
            sum(requests for _, requests, _ in sent),
            sent,
        )
