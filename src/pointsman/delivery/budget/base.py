"""The seam of stage 5: a quota of points and requests, and what is paid from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pointsman.platforms.base import PlatformAnswer
from pointsman.platforms.settings import PlatformLimits

#: of what may be used, the part that is
PACE = 0.99


@dataclass(frozen=True, slots=True)
class QuotaLimits:
    """What may be spent in `window` and `guard` seconds."""

    points: int
    requests: int
    guard: float
    window: float
    #: our part of the whole instance's quota, and that
    share: float = 1.0
    total_points: int = 0
    total_requests: int = 0
    #: give way when others need more than the rest
    is_adaptive: bool = False

    @classmethod
    def of(cls, instance: PlatformLimits, *, window: float) -> QuotaLimits:
        """Our share of what the platform allows the instance, paced."""
        part = instance.share * PACE
        return cls(
            points=max(1, int(instance.points_per_minute * part)),
            requests=max(1, int(instance.requests_per_minute * part)),
            guard=instance.window_guard_seconds,
            window=window,
            share=instance.share,
            total_points=instance.points_per_minute,
            total_requests=instance.requests_per_minute,
            is_adaptive=instance.sharing == "adaptive",
        )

    def requests_within(self, seconds: float) -> int:
        """About how many requests may be sent within so many seconds, at least 1."""
        return max(1, int(seconds * self.requests / self.window))


@dataclass(eq=False, slots=True)
class Reservation:
    """The right to send one request now. `sent_at` is on the clock that the books are kept by."""

    points: int
    sent_at: float


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """Points and requests that this window still allows."""

    points: int
    requests: int


class Budget(Protocol):
    """A quota of points and requests that is never overdrawn. One contract suite tests them all."""

    async def open(self) -> None:
        """Take up the quota where the last process left it."""
        ...

    async def close(self) -> None:
        """End what is under way."""
        ...

    def reconfigure(self, limits: QuotaLimits) -> None:
        """From now on so much may be spent; what was spent stays counted."""
        ...

    async def wait_for_quota(self) -> None:
        """Wait until one request of one point could be sent."""
        ...

    async def reserve(self, points: int, *, give_up_at: float) -> Reservation | None:
        """Wait for the right to send one request now; None when it would come too late.

        `give_up_at` is on the clock's monotonic scale.
        """
        ...

    def settle(self, reservation: Reservation, answer: PlatformAnswer) -> None:
        """The answer to what was reserved: what it says of the quota corrects the books."""
        ...

    def requests_within(self, seconds: float) -> int:
        """About how many requests may be sent within so many seconds, at least 1."""
        ...

    def left(self) -> QuotaLeft:
        """What this window still allows, as far as is known."""
        ...


class PaidAnswer(Protocol):
    """An answer to a request that is no delivery, with the platform's answer in it."""

    @property
    def answer(self) -> PlatformAnswer: ...


A = TypeVar("A", bound=PaidAnswer)


async def send_paid(
    budget: Budget, points: int, send: Callable[[], Awaitable[A]], *, give_up_at: float
) -> A | None:
    """Send one request that is no delivery; None when the budget would not allow it in time.

    `give_up_at` is on the clock's monotonic scale.
    """
    reservation = await budget.reserve(points, give_up_at=give_up_at)
    if reservation is None:
        return None
    answer = await send()
    budget.settle(reservation, answer.answer)
    return answer
