"""The purse that replicas share: a ledger deals slices of one pace, each replica spends its own."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from pointsman.delivery.budget.fair_lock import FairLock
from pointsman.delivery.budget.local import Spent
from pointsman.delivery.budget.quota_window import SECONDS, QuotaLimits, Reservation
from pointsman.delivery.budget.slots import (
    GRACE,
    MICROS,
    QuotaUpdate,
    SharedPace,
    SlotGrant,
    SlotRequest,
    apply_quota_update,
    grant_slots,
    quota_left,
)
from pointsman.domain.clock import Clock
from pointsman.domain.errors import StoreUnavailable
from pointsman.platforms.base import PlatformAnswer, RequestOutcome

T = TypeVar("T")

#: of the newest request in the average of what they cost
_WEIGHT = 0.2


class SharedPaceStore(Protocol):
    """Where the pace is kept: one row that one replica at a time may change."""

    async def pace(self, decide: Callable[[str, int], tuple[str, T]]) -> T:
        """`decide` gets the state, "" at first, and the ledger's time in microseconds.

        The state that it returns is kept before its other result is returned. Raises
        `StoreUnavailable`.
        """
        ...


class SharedBudget:
    """A `Budget` of one of several replicas."""

    def __init__(self, limits: QuotaLimits, clock: Clock, ledger: SharedPaceStore) -> None:
        self._limits = limits
        self._clock = clock
        self._ledger = ledger
        self._turns = FairLock(clock)
        #: (from, until) on the monotonic clock of each slot that is ours
        self._slots: deque[tuple[float, float]] = deque()
        self._points = 0
        self._average = 1.0
        #: the platform wants to be left alone until then
        self._not_before = 0.0
        #: a request of so many points, or more, can't be sent before
        self._denied = (0, 0.0)
        self._free_at = 0.0
        self._news: QuotaUpdate | None = None
        self._on_the_way = 0
        self._whole = Spent(limits.points, limits.requests, limits.points, limits.requests)
        self._spent = self._whole
        self._seen_at = 0.0
        #: tells replicas apart
        self._who = random.getrandbits(48)
        self._telling: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Take note of what was spent; the pace outlives every process."""
        self._see(await self._ledger.pace(self._look), self._clock.monotonic())

    def _look(self, text: str, now: int) -> tuple[str, SlotGrant]:
        return text, quota_left(SharedPace.read(text), now, self._limits)

    async def ready(self) -> None:
        """As far as we know; asking the ledger would take slots that nobody may need."""
        await self._clock.sleep(self._free_at - self._clock.monotonic())

    async def reserve(self, points: int, *, give_up_at: float) -> Reservation | None:
        if not await self._turns.take(give_up_at):
            return None
        try:
            while True:
                at = await self._next_slot(points)
                now = self._clock.monotonic()
                if max(at, now) > give_up_at:
                    return None
                if at > now:
                    await self._clock.sleep(at - now)
                elif self._use(points):
                    return Reservation(points, 0)
        finally:
            self._turns.give_back()

    def settle(self, reservation: Reservation, delivery: PlatformAnswer) -> None:
        self._on_the_way -= reservation.points
        rate = delivery.rate
        if rate.points_left is not None:
            left = max(0, rate.points_left - self._on_the_way)
            resets_in = SECONDS if rate.resets_in is None else min(rate.resets_in, SECONDS)
            self._news = QuotaUpdate(left, _micros(resets_in))
            self._spent = replace(self._spent, points_left=min(self._spent.points_left, left))
            self._points = min(self._points, left)
        if delivery.answer is RequestOutcome.THROTTLED:
            wait = rate.retry_after if rate.retry_after is not None else rate.resets_in
            self._stop(SECONDS if wait is None else wait)

    def soon(self, seconds: float) -> int:
        return max(1, int(seconds * self._limits.requests / 60))

    def spent(self) -> Spent:
        """What was left when the ledger was asked last, if that still says something."""
        now = self._clock.monotonic()
        if now < self._not_before:
            return replace(self._spent, points_left=0, requests_left=0)
        return self._whole if now >= self._seen_at + SECONDS else self._spent

    def _stop(self, seconds: float) -> None:
        """Nobody sends for so long; the others are told at once."""
        self._slots.clear()
        self._free_at = self._not_before = self._clock.monotonic() + seconds
        task = asyncio.create_task(self._tell(QuotaUpdate(blocked_for=_micros(seconds))))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, news: QuotaUpdate) -> None:
        # a ledger that is away deals nothing either
        with contextlib.suppress(StoreUnavailable):
            await self._ledger.pace(
                lambda text, now: (apply_quota_update(SharedPace.read(text), now, news).write(), 0)
            )

    async def _next_slot(self, points: int) -> float:
        """When the next slot may be used, on the monotonic clock; a time to ask again without."""
        now = self._clock.monotonic()
        while self._slots and self._slots[0][1] < now:
            self._slots.popleft()
        if self._slots and self._points >= points:
            return self._slots[0][0]
        if now < self._not_before:
            return self._not_before
        size, until = self._denied
        if now < until and points >= size:
            return until
        if not self._slots:
            self._points = 0
        # slots that are left keep their time; the points that are missing come with further ones
        requests = max(1, self._turns.waiting + 1 - len(self._slots))
        others = math.ceil(self._average)
        await self._ask(SlotRequest(self._who, requests, points - self._points, others))
        return self._slots[0][0] if self._points >= points else self._denied[1]

    async def _ask(self, wish: SlotRequest) -> None:
        news, self._news = self._news, None

        def decide(text: str, now: int) -> tuple[str, SlotGrant]:
            pace = SharedPace.read(text)
            if news is not None:
                pace = apply_quota_update(pace, now, news)
            pace, dealt = grant_slots(pace, now, self._limits, wish)
            return pace.write(), dealt

        asked_at = self._clock.monotonic()
        try:
            dealt = await self._ledger.pace(decide)
        except BaseException:
            self._news = self._news or news
            raise
        told_at = self._clock.monotonic()
        self._see(dealt, told_at)
        if not dealt.requests:
            self._denied = self._points + wish.first, told_at + dealt.starts_in / MICROS
            return
        # The decision was made between the two: what is early counts from the later one, what is
        # late from the earlier one.
        self._points += dealt.points
        for number in range(dealt.requests):
            offset = dealt.starts_in + number * dealt.every
            self._slots.append(
                (told_at + offset / MICROS, asked_at + (offset + dealt.every + GRACE) / MICROS)
            )

    def _see(self, dealt: SlotGrant, at: float) -> None:
        self._seen_at = at
        self._spent = replace(
            self._whole, points_left=dealt.points_left, requests_left=dealt.requests_left
        )
        self._free_at = max(self._not_before, at + dealt.next_in / MICROS)

    def _use(self, points: int) -> bool:
        """Spend the slot whose time has come; False without one, or when that was too long ago."""
        if not self._slots or self._slots.popleft()[1] < self._clock.monotonic():
            return False
        self._points -= points
        self._on_the_way += points
        self._average += _WEIGHT * (points - self._average)
        return True


def _micros(seconds: float) -> int:
    return max(0, round(seconds * MICROS))
