"""Requests that are no deliveries, paid from the same purse: reading back, and logging in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from pointsman.delivery.budget.local import Budget
from pointsman.platforms.base import PlatformAnswer


class PaidAnswer(Protocol):
    """Whatever came back, with the delivery's answer and headers in it."""

    @property
    def delivery(self) -> PlatformAnswer: ...


A = TypeVar("A", bound=PaidAnswer)


async def send_paid(
    budget: Budget, points: int, send: Callable[[], Awaitable[A]], *, give_up_at: float
) -> A | None:
    """Send one request of so many points; None when the budget would not allow it in time.

    `give_up_at` is on the clock's monotonic scale.
    """
    reservation = await budget.reserve(points, give_up_at=give_up_at)
    if reservation is None:
        return None
    answer = await send()
    budget.settle(reservation, answer.delivery)
    return answer
