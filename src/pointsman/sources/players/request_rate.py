"""Bounds how many requests one credential makes: a bucket of tokens for each. No I/O.

Each replica counts by itself, so that n replicas let n times as many through at most.
"""

from __future__ import annotations

from dataclasses import dataclass

from cachetools import LRUCache

from pointsman.domain.clock import Clock

#: seconds of the rate that may come at once
_BURST_SECONDS = 10
#: credentials that are remembered, the newest; a forgotten one begins with a full bucket
_MOST_REMEMBERED = 50_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RequestRate:
    """`per_second` requests of each credential, and ten times that at once."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self.per_second = per_second
        self._burst = max(1.0, per_second * _BURST_SECONDS)
        self._clock = clock
        self._buckets: LRUCache[str, _Bucket] = LRUCache(_MOST_REMEMBERED)

    def seconds_to_wait(self, credential: str) -> float:
        """0 for a request that may come now, and then it counts."""
        now = self._clock.monotonic()
        bucket = self._buckets.get(credential)
        if bucket is None:
            self._buckets[credential] = bucket = _Bucket(self._burst, now)
        filled = bucket.tokens + (now - bucket.filled_at) * self.per_second
        bucket.tokens, bucket.filled_at = min(self._burst, filled), now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self.per_second
        bucket.tokens -= 1
        return 0.0
