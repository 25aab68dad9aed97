"""The budget that replicas share: a store deals slices of one pace, each replica spends its own."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits, Reservation
from pointsman.delivery.budget.fair_lock import FairLock
from pointsman.delivery.budget.slots import (
    JUMP,
    MICROS,
    QuotaUpdate,
    SharedPace,
    SlotGrant,
    SlotRequest,
    apply_quota_update,
    grace,
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
        """`decide` gets the state, "" at first, and the store's time in microseconds.

        The state that it returns is kept before its other result is returned. Raises
        `StoreUnavailable`.
        """
        ...


class SharedBudget:
    """A `Budget` of one of several replicas."""

    def __init__(self, limits: QuotaLimits, clock: Clock, store: SharedPaceStore) -> None:
        self._limits = limits
        self._clock = clock
        self._store = store
        self._lock = FairLock(clock)
        #: (from, until) on the monotonic clock of each slot that is ours
        self._slots: deque[tuple[float, float]] = deque()
        self._points = 0
        self._average = 1.0
        #: the platform wants to be left alone until then
        self._not_before = 0.0
        #: a request of so many points, or more, can't be sent before
        self._denied = (0, 0.0)
        self._free_at = 0.0
        self._update: QuotaUpdate | None = None
        self._on_the_way = 0
        self._left = QuotaLeft(limits.points, limits.requests)
        self._noted_at = 0.0
        #: microseconds from our monotonic clock to the store's
        self._offset: int | None = None
        #: tells replicas apart
        self._replica = random.getrandbits(48)
        self._updates: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Take note of what was spent; the pace outlives every process."""

        def read(text: str, now: int) -> tuple[str, SlotGrant]:
            return text, quota_left(SharedPace.read(text), now, self._limits)

        self._note(await self._store.pace(read), self._clock.monotonic())

    async def close(self) -> None:
        """Wait until the other replicas know what the platform said last."""
        await asyncio.gather(*self._updates)

    def reconfigure(self, limits: QuotaLimits) -> None:
        """Slots that were dealt stay good: they are counted in the pace."""
        self._limits = limits

    async def wait_for_quota(self) -> None:
        """As far as we know; asking the store would take slots that nobody may need."""
        await self._clock.sleep(self._free_at - self._clock.monotonic())

    async def reserve(self, points: int, *, give_up_at: float) -> Reservation | None:
        if not await self._lock.acquire(give_up_at):
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
                    return Reservation(points)
        finally:
            self._lock.release()

    def settle(self, reservation: Reservation, answer: PlatformAnswer) -> None:
        self._on_the_way -= reservation.points
        rate = answer.rate
        if rate.points_left is not None:
            left = max(0, rate.points_left - self._on_the_way)
            window = self._limits.window
            # whole seconds may have been rounded down
            resets_in = window if rate.resets_in is None else min(rate.resets_in + 1, window)
            self._update = QuotaUpdate(left, _micros(resets_in))
            self._left = replace(self._left, points=min(self._left.points, left))
            self._points = min(self._points, left)
        if answer.outcome is RequestOutcome.THROTTLED:
            wait = rate.retry_after if rate.retry_after is not None else rate.resets_in
            self._stop(self._limits.window if wait is None else wait)
        elif rate.retry_after:
            self._stop(rate.retry_after)

    def requests_within(self, seconds: float) -> int:
        return self._limits.requests_within(seconds)

    def left(self) -> QuotaLeft:
        """What was left when the store was asked last, if that still says something."""
        now = self._clock.monotonic()
        if now < self._not_before:
            return QuotaLeft(0, 0)
        if now >= self._noted_at + self._limits.window:
            return QuotaLeft(self._limits.points, self._limits.requests)
        return self._left

    def _stop(self, seconds: float) -> None:
        """Nobody sends for so long; the others are told at once."""
        self._slots.clear()
        self._not_before = max(self._not_before, self._clock.monotonic() + seconds)
        self._free_at = self._not_before
        task = asyncio.create_task(self._send_update(QuotaUpdate(blocked_for=_micros(seconds))))
        self._updates.add(task)
        task.add_done_callback(self._updates.discard)

    async def _send_update(self, update: QuotaUpdate) -> None:
        # a store that is away deals nothing either
        with contextlib.suppress(StoreUnavailable):
            await self._store.pace(
                lambda text, now: (
                    apply_quota_update(SharedPace.read(text), now, update).write(),
                    None,
                )
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
        requests = max(1, self._lock.waiting + 1 - len(self._slots))
        others = math.ceil(self._average)
        await self._ask(SlotRequest(self._replica, requests, points - self._points, others))
        return self._slots[0][0] if self._points >= points else self._denied[1]

    async def _ask(self, request: SlotRequest) -> None:
        update, self._update = self._update, None

        def decide(text: str, now: int) -> tuple[str, SlotGrant]:
            pace = SharedPace.read(text).moved(self._set_forward(now))
            if update is not None:
                pace = apply_quota_update(pace, now, update)
            pace, grant = grant_slots(pace, now, self._limits, request)
            return pace.write(), grant

        asked_at = self._clock.monotonic()
        try:
            grant = await self._store.pace(decide)
        except BaseException:
            self._update = self._update or update
            raise
        granted_at = self._clock.monotonic()
        self._note(grant, granted_at)
        if not grant.requests:
            self._denied = self._points + request.first, granted_at + grant.starts_in / MICROS
            return
        # The decision was made between the two: what is early counts from the later one, what is
        # late from the earlier one.
        self._points += grant.points
        usable_for = grant.every + grace(self._limits)
        for number in range(grant.requests):
            offset = grant.starts_in + number * grant.every
            self._slots.append(
                (granted_at + offset / MICROS, asked_at + (offset + usable_for) / MICROS)
            )

    def _set_forward(self, now: int) -> int:
        """By how much the store's clock was set forward since we asked it last.

        Another replica may notice it too, and move the pace once more: what lies in the future then
        counts as if it was dealt now.
        """
        offset = now - _micros(self._clock.monotonic())
        before, self._offset = self._offset, offset
        return offset - before if before is not None and offset - before > JUMP else 0

    def _note(self, grant: SlotGrant, at: float) -> None:
        self._noted_at = at
        self._left = QuotaLeft(grant.points_left, grant.requests_left)
        self._free_at = max(self._not_before, at + grant.next_in / MICROS)

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
