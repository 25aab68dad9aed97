"""When to stop asking a source of tokens that is in trouble, and for whom. Pure.

A trouble of the source (no answer, 429, 503, our credentials) is everybody's: nobody is asked for
meanwhile, then one at a time until an answer comes. An answer that can't be used is its learner's
own, unless those of many learners in a row are so.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from pointsman.domain.errors import TokenDelayed

#: so many troubles in a row, or learners in a row whose answers can't be used, and everybody waits
_TRIPS_AT = 3
#: seconds after the first trouble, and at most
_FIRST, _LONGEST = 1.0, 60.0
#: seconds at most between two questions for a learner whose answers can't be used
_LONGEST_OF_ONE = 300.0


class TokenSourceDown(TokenDelayed):
    """The source of authTokens is in trouble, whoever is asked for.

    `at_once`: it said so itself, so nobody is asked for from the first time on.
    """

    def __init__(
        self, message: str, retry_after: float | None = None, *, at_once: bool = False
    ) -> None:
        super().__init__(message, retry_after)
        self.at_once = at_once


@dataclass(slots=True)
class _Pause:
    until: float
    seconds: float
    reason: str


@dataclass(slots=True)
class TokenSourceBreaker:
    """Times are on the monotonic clock. `reason` is for a person, "" while all is well."""

    jitter: random.Random
    reason: str = ""
    paused_until: float = 0.0
    _failures: int = 0
    _trips: int = 0
    #: learners in a row whose answers could not be used
    _unusable: set[str] = field(default_factory=set)
    _trying: bool = False
    _learners: dict[str, _Pause] = field(default_factory=dict)

    def check(self, learner: str, now: float) -> None:
        """Raises `TokenDelayed` where this learner is not to be asked for now."""
        if self.reason and (now < self.paused_until or self._trying):
            seconds = max(1.0, self.paused_until - now)
            raise TokenDelayed(f"{self.reason}; asked again in {seconds:.0f} s")
        pause = self._learners.get(learner)
        if pause is not None and now < pause.until:
            seconds = max(1.0, pause.until - now)
            raise TokenDelayed(f"{pause.reason}; asked again in {seconds:.0f} s")

    def begin(self) -> None:
        """A question goes out, which `check` has let."""
        self._trying = bool(self.reason)

    def abandoned(self) -> None:
        """It ended without an answer, by our own will."""
        self._trying = False

    def answered(self, learner: str) -> None:
        """A token came, or the word that there is none."""
        self._learners.pop(learner, None)
        self.reason, self.paused_until, self._trying = "", 0.0, False
        self._failures = self._trips = 0
        self._unusable.clear()

    def unusable(
        self, learner: str, now: float, words: str, retry_after: float | None = None
    ) -> None:
        """The answer for this learner can't be used; `retry_after` is what it says, in seconds."""
        before = self._learners.get(learner)
        seconds = _FIRST if before is None else min(_LONGEST_OF_ONE, 2 * before.seconds)
        self._learners[learner] = _Pause(
            now + max(retry_after or 0.0, self._jittered(seconds)), seconds, words
        )
        self._unusable.add(learner)
        was_trying, self._trying = self._trying, False
        if was_trying or len(self._unusable) >= _TRIPS_AT:
            self._trip(now, words, grows=was_trying)

    def down(self, now: float, error: TokenSourceDown) -> None:
        """The source is in trouble."""
        self._failures += 1
        was_trying, self._trying = self._trying, False
        if was_trying or error.at_once or self._failures >= _TRIPS_AT:
            self._trip(now, str(error), grows=was_trying, at_least=error.retry_after or 0.0)

    def _trip(self, now: float, words: str, *, grows: bool, at_least: float = 0.0) -> None:
        # what was under way when it tripped says nothing new
        if grows or not self.reason:
            self._trips += 1
        seconds = min(_LONGEST, _FIRST * 2.0 ** min(self._trips - 1, 30))
        pause = max(at_least, self._jittered(seconds))
        self.paused_until = max(self.paused_until, now + pause)
        self.reason = words

    def _jittered(self, seconds: float) -> float:
        return seconds * self.jitter.uniform(0.5, 1.0)
