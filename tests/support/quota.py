"""Our part of a platform's limits, for tests of who spends it."""

from __future__ import annotations

from pointsman.delivery.budget.base import QuotaLimits
from pointsman.platforms.settings import PlatformLimits


def quota_limits(
    points: int, requests: int, share: float, guard: float, *, window: float = 60.0
) -> QuotaLimits:
    return QuotaLimits.of(
        PlatformLimits(
            points_per_minute=points,
            requests_per_minute=requests,
            share=share,
            window_guard_seconds=guard,
        ),
        window=window,
    )
