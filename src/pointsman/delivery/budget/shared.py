"""The budget that replicas share: one window in the store, from which each gets its slots."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits, Reservation
from pointsman.delivery.budget.fair_lock import FairLock
from pointsman.delivery.budget.shared_window import (
    FRESH,
    Answer,
    Report,
    SharedWindow,
    SlotGrant,
    SlotRequest,
    StoreClock,
)
from pointsman.delivery.budget.slots_in_hand import SlotsInHand
from pointsman.domain.clock import MICROSECONDS, Clock
from pointsman.domain.errors import StoreUnavailable
from pointsman.platforms.base import PlatformAnswer, RequestOutcome
from pointsman.store.base import Window

T = TypeVar("T")

#: slots are asked for so many seconds ahead; for more where a transaction takes long
_AHEAD, _TRANSACTIONS_AHEAD = 0.1, 4
#: what was answered is reported after so many seconds at the latest, and that we are there
_REPORT_EVERY, _SIGN_EVERY = 0.5, 10.0
#: a request that nobody settled for so many windows is not on its way any more
_LOST = 10
#: of the dearest request so far, the part that counts after the next one
_FADES = 0.98


class SharedWindowStore(Protocol):
    """Where the window is kept: one row that one replica at a time may change."""

    async def shared_window(self, decide: Callable[[str, int], tuple[str, Window, T]]) -> T:
        """`decide` gets the text, "" at first, and the store's time in microseconds.

        The text that it returns, and what the window comes to, are kept before its other result is
        returned. It may be asked several times. Raises `StoreUnavailable`.
        """
        ...


@dataclass(slots=True)
class _Settled:
    """An answer, before it is reported."""

    at: float
    took: float
    points: int
    answer: PlatformAnswer

    def seen(self, now: float) -> Answer:
        outcome = self.answer.outcome
        return Answer(
            now - self.at,
            self.took,
            self.points,
            self.answer.rate,
            is_answer=outcome is not RequestOutcome.UNREACHABLE,
            is_throttled=outcome is RequestOutcome.THROTTLED,
        )


class SharedBudget:
    """A `Budget` of one of several replicas."""

    def __init__(self, limits: QuotaLimits, clock: Clock, store: SharedWindowStore) -> None:
        self._limits = limits
        self._clock = clock
        self._store = store
        #: tells replicas apart
        self._replica = f"{random.getrandbits(48):012x}"
        self._lock = FairLock(clock)
        #: a report tells all, so one is under way at a time
        self._reporting = asyncio.Lock()
        self._hand = SlotsInHand()
        self._on_the_way: dict[Reservation, None] = {}
        self._settled: list[_Settled] = []
        #: points of the dearest request lately, and when the last ones went
        self._usual = 1.0
        self._used: deque[float] = deque(maxlen=256)
        #: how often the platform wanted to be left alone, and how often the others were told
        self._stops = self._stops_told = 0
        #: less what is in our hand
        self._left = QuotaLeft(limits.points, limits.requests)
        self._reported_at = float("-inf")
        #: seconds that the last transaction took
        self._took = 0.0
        self._store_clock: StoreClock | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def open(self) -> None:
        """Take note of what was spent; the window outlives every process."""
        await self._exchange()
        self._start(self._report_now_and_then)

    async def close(self) -> None:
        """Give back what is in hand, and tell the others what the platform said last."""
        self._is_closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._hand.clear()
        with contextlib.suppress(StoreUnavailable):
            await self._exchange()

    def reconfigure(self, limits: QuotaLimits) -> None:
        """Slots that we have stay good: they are counted."""
        self._limits = limits

    async def wait_for_quota(self) -> None:
        """The slot is in hand then, so that the most urgent of that moment can use it."""
        await self._lock.acquire(math.inf)
        try:
            await self._wait(1, give_up_at=math.inf)
        finally:
            self._lock.release()

    async def reserve(self, points: int, *, give_up_at: float) -> Reservation | None:
        if not await self._lock.acquire(give_up_at):
            return None
        try:
            if not await self._wait(points, give_up_at=give_up_at):
                return None
            now = self._clock.monotonic()
            self._hand.use(points)
            self._used.append(now)
            self._usual = max(float(points), self._usual * _FADES)
            reservation = Reservation(points, now)
            self._on_the_way[reservation] = None
            return reservation
        finally:
            self._lock.release()

    def settle(self, reservation: Reservation, answer: PlatformAnswer) -> None:
        now = self._clock.monotonic()
        if reservation in self._on_the_way:
            del self._on_the_way[reservation]
            self._note_answer(now, reservation, answer)
        rate = answer.rate
        if rate.points_left is not None:
            # what is on its way may be missing from the platform's count
            left = max(0, rate.points_left - self._points_on_the_way - self._hand.points)
            self._left = replace(self._left, points=min(self._left.points, left))
        if answer.outcome is RequestOutcome.THROTTLED or rate.retry_after:
            self._stops += 1
            self._hand.clear()
            self._start(self._report)

    def requests_within(self, seconds: float) -> int:
        """Where a transaction takes long, several slots are in hand when somebody can use them."""
        in_hand = self._hand.ready_at(self._clock.monotonic())
        return max(in_hand, self._limits.requests_within(seconds))

    def left(self) -> QuotaLeft:
        """What was left when the store was asked last, if that still says something."""
        if self._stops > self._stops_told:
            return QuotaLeft(0, 0)
        if self._clock.monotonic() >= self._reported_at + self._limits.window:
            return QuotaLeft(self._limits.points, self._limits.requests)
        if self._hand.waits:
            return self._left
        return QuotaLeft(
            self._left.points + self._hand.points, self._left.requests + len(self._hand.slots)
        )

    async def _wait(self, points: int, *, give_up_at: float) -> bool:
        """Until the first slot in hand may be used for so many points; False if that is late."""
        while True:
            now = self._clock.monotonic()
            slot = self._hand.first(now, points)
            if slot is None:
                if not await self._ask(points, give_up_at - now):
                    return False
            elif max(slot.start, now) > give_up_at:
                return False
            elif slot.start > now:
                try:
                    await self._clock.sleep(slot.start - now)
                except BaseException:
                    self._hand.clear()
                    raise
            elif slot.must_confirm:
                await self._exchange(confirm=points)
            else:
                return True

    async def _ask(self, points: int, within: float) -> bool:
        """Give back what is in hand, and ask for what is needed now; False where that is late."""
        ahead = min(FRESH, max(_AHEAD, _TRANSACTIONS_AHEAD * self._took))
        since = self._clock.monotonic() - ahead
        recent = sum(1 for at in self._used if at > since)
        usual = max(points, math.ceil(self._usual))
        self._hand.clear()
        return await self._exchange(
            SlotRequest(max(self._lock.waiting + 1, recent), points, usual, within, ahead)
        )

    async def _exchange(self, ask: SlotRequest | None = None, confirm: int | None = None) -> bool:
        """Report; whether slots were given, if any were asked for."""
        async with self._reporting:
            asked_at = self._clock.monotonic()
            self._forget_lost(asked_at)
            self._hand.drop_expired(asked_at)
            settled, self._settled = self._settled, []
            stops = self._stops
            report = Report(
                self._replica,
                tuple(one.seen(asked_at) for one in settled),
                len(self._on_the_way) + len(self._hand.slots),
                self._points_on_the_way + self._hand.points,
                waits=self._hand.waits,
            )

            def decide(
                text: str, now: int
            ) -> tuple[str, Window, tuple[SlotGrant, float, QuotaLeft, StoreClock]]:
                window = SharedWindow.read(text, self._limits)
                here = self._clock.monotonic()
                clock = StoreClock.seen(now, asked_at, here, window.set_forward_by)
                window.move_to(now / MICROSECONDS, set_by=clock.set_since(self._store_clock))
                window.hear(report)
                grant = SlotGrant() if ask is None else window.grant(self._replica, ask)
                wait = 0.0 if confirm is None else window.confirm(self._replica, confirm)
                clock = replace(clock, set_forward_by=window.set_forward_by)
                return window.write(), window.summary(), (grant, wait, window.left(), clock)

            try:
                grant, wait, left, self._store_clock = await self._store.shared_window(decide)
            except BaseException:
                self._settled = settled + self._settled
                raise
            now = self._reported_at = self._clock.monotonic()
            self._took = now - asked_at
            self._left = left
            self._stops_told = max(self._stops_told, stops)
            if stops != self._stops:
                return True  # what was given before the platform wanted to be left alone is void
            self._hand.add(asked_at, now, grant)
            if confirm is not None and self._hand.slots:
                self._hand.confirmed(asked_at, now, wait)
            return bool(grant.starts)

    async def _report(self) -> None:
        # a store that is away gives no slots either
        with contextlib.suppress(StoreUnavailable):
            await self._exchange()

    async def _report_now_and_then(self) -> None:
        """What nobody asked for meanwhile; and now and then, that we are there."""
        while True:
            await self._clock.sleep(_REPORT_EVERY)
            now = self._clock.monotonic()
            slots = len(self._hand.slots)
            self._hand.drop_expired(now)
            is_news = self._settled or len(self._hand.slots) < slots
            if is_news or now >= self._reported_at + _SIGN_EVERY:
                await self._report()

    def _start(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        if self._is_closed:
            return
        task = asyncio.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note_answer(self, now: float, reservation: Reservation, answer: PlatformAnswer) -> None:
        took = now - reservation.sent_at
        self._settled.append(_Settled(now, took, reservation.points, answer))

    def _forget_lost(self, now: float) -> None:
        lost = PlatformAnswer(RequestOutcome.UNREACHABLE)
        for reservation in list(self._on_the_way):
            if reservation.sent_at + _LOST * self._limits.window > now:
                return
            del self._on_the_way[reservation]
            self._note_answer(now, reservation, lost)

    @property
    def _points_on_the_way(self) -> int:
        return sum(reservation.points for reservation in self._on_the_way)
