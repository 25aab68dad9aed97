"""When to stop asking a platform that does not answer, or that refuses our key. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from pointsman.domain.backoff import Backoff
from pointsman.domain.targets import Recipient
from pointsman.platforms.base import RequestOutcome

#: so many requests in a row without an answer, or recipients without a success, and all wait
_TRIPS_AT = 3


@dataclass(slots=True)
class Breaker:
    """Counts requests that failed in a row, whoever's they were.

    While the platform is out, one request at a time tries it, ever more seldom; the first answer
    sets all free again. What fails while all wait was under way before, and does not count again.
    `reason` is for a person, "" while all is well.
    """

    backoff: Backoff
    failures: int = 0
    paused_until: float = 0.0
    reason: str = ""
    #: so often in a row the platform had no quota for us, and until when that is waited for
    throttles: int = 0
    throttled_until: float = 0.0
    _without_success: set[Recipient] = field(default_factory=set)

    def record(
        self, now: float, outcome: RequestOutcome, message: str, jitter: random.Random
    ) -> None:
        """Count what one request came to; `now` is on the monotonic clock."""
        if outcome is RequestOutcome.THROTTLED:
            # how long to wait is the budget's to say; this is for a platform that does not tell
            if now >= self.throttled_until:
                self.throttles += 1
                self.throttled_until = now + self.backoff.seconds(self.throttles, jitter)
        elif outcome is RequestOutcome.KEY_REFUSED:
            self.reason = f"the platform refuses our apiKey: {message}"
            self._fail(now, max(self.failures + 1, _TRIPS_AT), jitter)
        elif outcome is RequestOutcome.UNREACHABLE:
            self.reason = f"the platform does not answer: {message}"
            self._fail(now, self.failures + 1, jitter)
        else:
            self.failures = self.throttles = 0
            self.paused_until = self.throttled_until = 0.0
            self.reason = ""
            self._without_success.clear()

    def record_failing(
        self, now: float, recipient: Recipient, message: str, jitter: random.Random
    ) -> None:
        """The platform answered, and whatever was sent for this recipient failed in passing.

        By one recipient nobody else is held up; several in a row are the platform's trouble.
        """
        self._without_success.add(recipient)
        if len(self._without_success) >= _TRIPS_AT:
            self.reason = f"the platform fails for one learner after another: {message}"
            self._fail(now, max(self.failures + 1, _TRIPS_AT), jitter)

    @property
    def tripped(self) -> bool:
        """Whether the platform is taken to be out."""
        return self.failures >= _TRIPS_AT

    @property
    def one_at_a_time(self) -> bool:
        """Whether a request has to show first that there is a use in others."""
        return self.tripped or self.throttles > 0

    @property
    def next_at(self) -> float:
        """When to ask next, on the monotonic clock."""
        return max(self.paused_until, self.throttled_until)

    def _fail(self, now: float, failures: int, jitter: random.Random) -> None:
        if self.tripped and now < self.paused_until:
            return
        self.failures = failures
        if self.tripped:
            wait = self.backoff.seconds(self.failures - _TRIPS_AT + 1, jitter)
            self.paused_until = max(self.paused_until, now + wait)
