"""The authTokens that `Login` hands out: random, opaque, and good for a fixed time."""

from __future__ import annotations

import secrets

from pointsman.clock import Clock
from pointsman.emulator.catalogue import Learner


class Tokens:
    """Tokens in memory, each good for `ttl` seconds from its issue."""

    def __init__(self, clock: Clock, ttl: float) -> None:
        self._clock = clock
        self._ttl = ttl
        # In the order of issue and, with one ttl for all, of expiry.
        self._live: dict[str, tuple[Learner, float]] = {}

    def issue(self, learner: Learner) -> str:
        self._forget_expired()
        token = secrets.token_urlsafe(24)
        self._live[token] = (learner, self._clock.monotonic() + self._ttl)
        return token

    def learner(self, token: str) -> Learner | None:
        """Whose token it is; None for one that is unknown or has expired."""
        learner, expires_at = self._live.get(token, (None, 0.0))
        return learner if self._clock.monotonic() < expires_at else None

    def _forget_expired(self) -> None:
        now = self._clock.monotonic()
        while self._live:
            oldest = next(iter(self._live))
            if now < self._live[oldest][1]:
                return
            del self._live[oldest]
