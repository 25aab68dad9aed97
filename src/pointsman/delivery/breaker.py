"""When to stop asking a platform that does not answer, or that refuses our key. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pointsman.delivery.bounded_memory import remember
from pointsman.domain.backoff import Backoff
from pointsman.domain.targets import Recipient
from pointsman.platforms.base import TROUBLE, RequestOutcome

#: so many requests in a row without an answer, or recipients without a success, and all wait
_TRIPS_AT = 3
#: seconds until the first try after all began to wait, and between the tries that follow
_FIRST_TRY = Backoff(0.5, 0.5)
_TRIES = Backoff(1.5, 1.5)
#: a key that is refused is changed by a person
_KEY_TRIES = Backoff(1.0, 60.0)
#: without quota, where the platform does not say when to come back
_THROTTLED = Backoff(1.0, 60.0)


class OutageWatcher(Protocol):
    """Who is told of outages."""

    def platform_changed(self, now: float, *, is_out: bool) -> None:
        """An outage began or ended, at `now` on the monotonic clock."""


@dataclass(slots=True)
class Breaker:
    """Counts requests that failed in a row, whoever's they were.

    While the platform is out, one request at a time tries it, every second or so; the first answer
    sets all free again. Requests count in the order in which they were sent: what was sent before
    all began to wait, or before another request that came to something, counts no more when it
    fails; and what was sent before the first that failed says nothing when it comes to something.
    `reason` is for a person, "" while all is well. `watchers` are told when an outage
    begins and when it ends. All times are on the monotonic clock.
    """

    watchers: Sequence[OutageWatcher] = ()
    failures: int = 0
    reason: str = ""
    #: so often in a row the platform had no quota for us
    throttles: int = 0
    #: when to ask next
    next_at: float = 0.0
    _tripped_at: float | None = None
    _throttled_at: float = float("-inf")
    _throttled_until: float = 0.0
    _key_refusals: int = 0
    #: when the newest request was sent that came to something
    _worked_at: float = float("-inf")
    #: when the first was sent of the requests in a row that came to nothing
    _trouble_since: float = float("inf")
    _key_refused: dict[Recipient, None] = field(default_factory=dict)
    _without_success: dict[Recipient, None] = field(default_factory=dict)
    #: who failed while the platform was out, and waits for a time of its own
    _waiting: dict[Recipient, None] = field(default_factory=dict)

    def record(
        self,
        now: float,
        outcome: RequestOutcome,
        message: str,
        jitter: random.Random,
        *,
        recipient: Recipient,
        sent_at: float,
    ) -> tuple[Recipient, ...]:
        """Count what one request came to; who may try again at once because of it."""
        if outcome is RequestOutcome.UNREACHABLE:
            remember(self._waiting, recipient)
        if outcome not in TROUBLE:
            self._worked_at = max(self._worked_at, sent_at)
            return self._succeed(now) if sent_at >= self._trouble_since else ()
        if not self._is_news(sent_at):
            return ()
        if outcome is RequestOutcome.THROTTLED:
            # how long to wait is the budget's to say; this is for a platform that does not tell
            if sent_at >= self._throttled_until and sent_at > self._throttled_at:
                self.throttles += 1
                self._throttled_at = now
                self._throttled_until = now + _THROTTLED.seconds(self.throttles, jitter)
                self.next_at = max(self.next_at, self._throttled_until)
        elif outcome is RequestOutcome.KEY_REFUSED:
            self._record_refused_key(now, message, jitter, recipient, sent_at)
        else:
            reason = f"the platform does not answer: {message}"
            self._fail(now, self.failures + 1, jitter, sent_at, reason)
        return ()

    def record_failing(
        self,
        now: float,
        recipient: Recipient,
        message: str,
        jitter: random.Random,
        *,
        sent_at: float,
    ) -> None:
        """The platform answered, and whatever was sent for this recipient failed in passing.

        By one recipient nobody else is held up; several in a row are the platform's trouble.
        """
        if not self._is_news(sent_at):
            return
        remember(self._without_success, recipient)
        if len(self._without_success) >= _TRIPS_AT:
            remember(self._waiting, recipient)
            self._fail(
                now,
                max(self.failures + 1, _TRIPS_AT),
                jitter,
                sent_at,
                f"the platform fails for one learner after another: {message}",
            )

    def trying(self, now: float, jitter: random.Random) -> None:
        """A request goes now; while it has to show something first, the next one goes later."""
        if not self.one_at_a_time:
            return
        if self._key_refusals:
            wait = _KEY_TRIES.seconds(self._key_refusals, jitter)
        else:
            wait = _TRIES.seconds(1, jitter)
        self.next_at = max(self.next_at, now + wait)

    @property
    def tripped(self) -> bool:
        """Whether the platform is taken to be out."""
        return self._tripped_at is not None

    @property
    def one_at_a_time(self) -> bool:
        """Whether a request has to show first that there is a use in others."""
        return self.tripped or self.throttles > 0

    def _is_news(self, sent_at: float) -> bool:
        """Whether a request that came to nothing counts: none that was sent later has worked."""
        if sent_at < self._worked_at:
            return False
        self._trouble_since = min(self._trouble_since, sent_at)
        return True

    def _record_refused_key(
        self,
        now: float,
        message: str,
        jitter: random.Random,
        recipient: Recipient,
        sent_at: float,
    ) -> None:
        """A key that has worked is not taken to be bad for one recipient's sake."""
        remember(self._key_refused, recipient)
        if (
            self._worked_at > float("-inf")
            and len(self._key_refused) < _TRIPS_AT
            and not self.tripped
        ):
            return
        if self._tripped_at is None or sent_at > self._tripped_at:
            self._key_refusals += 1
        self._fail(
            now,
            max(self.failures + 1, _TRIPS_AT),
            jitter,
            sent_at,
            f"the platform refuses our apiKey: {message}",
        )

    def _fail(
        self, now: float, failures: int, jitter: random.Random, sent_at: float, reason: str
    ) -> None:
        self.reason = reason
        if self._tripped_at is not None:
            if sent_at > self._tripped_at:
                self.failures += 1
            return
        self.failures = failures
        if failures >= _TRIPS_AT:
            self._tripped_at = now
            self._tell_watchers(now, is_out=True)
            self.next_at = max(self.next_at, now + _FIRST_TRY.seconds(1, jitter))

    def _succeed(self, now: float) -> tuple[Recipient, ...]:
        """Who failed in an outage that is over tries again at once."""
        was_out, freed = self.tripped, tuple(self._waiting) if self.tripped else ()
        self.failures = self.throttles = self._key_refusals = 0
        self.next_at = self._throttled_until = 0.0
        self._trouble_since = float("inf")
        self._tripped_at = None
        self.reason = ""
        for memory in (self._key_refused, self._without_success, self._waiting):
            memory.clear()
        if was_out:
            self._tell_watchers(now, is_out=False)
        return freed

    def _tell_watchers(self, now: float, *, is_out: bool) -> None:
        for watcher in self.watchers:
            watcher.platform_changed(now, is_out=is_out)
