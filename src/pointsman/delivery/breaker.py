"""When to stop asking a platform that does not answer, or that refuses our key. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from pointsman.delivery.backoff import Backoff
from pointsman.platforms.base import RequestOutcome

#: so many requests in a row without an answer, and everybody waits
_TRIPS_AT = 3


@dataclass(slots=True)
class Breaker:
    """Counts requests that failed in a row, whoever's they were.

    While the platform is out, one request at a time tries it, ever more seldom; the first answer
    sets all free again.
    """

    backoff: Backoff
    failures: int = 0
    paused_until: float = 0.0

    def record(self, now: float, outcome: RequestOutcome, jitter: random.Random) -> None:
        """Count what one request came to; `now` is on the monotonic clock."""
        if outcome is RequestOutcome.KEY_REFUSED:
            self.failures = max(self.failures + 1, _TRIPS_AT)
        elif outcome is RequestOutcome.UNREACHABLE:
            self.failures += 1
        elif outcome is RequestOutcome.THROTTLED:
            return
        else:
            self.failures = 0
            self.paused_until = 0.0
            return
        if self.failures >= _TRIPS_AT:
            wait = self.backoff.seconds(self.failures - _TRIPS_AT + 1, jitter)
            self.paused_until = max(self.paused_until, now + wait)

    @property
    def tripped(self) -> bool:
        """Whether the platform is taken to be out."""
        return self.failures >= _TRIPS_AT
