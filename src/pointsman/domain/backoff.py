"""How long to wait after failures: exponential, with jitter.

A durable retry keeps a count and a time in the store, so a library that retries a call in place
does not fit here.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds after the n-th failure in a row: up to `base` * 2^(n-1), at most `longest`."""

    base: float
    longest: float

    def seconds(self, failures: int, jitter: random.Random) -> float:
        """Between half of the step and all of it, so that learners don't come back together."""
        step = min(self.longest, self.base * 2.0 ** min(max(failures, 1) - 1, 30))
        return step * jitter.uniform(0.5, 1.0)
