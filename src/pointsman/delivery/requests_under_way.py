"""Requests that have no answer yet, and when one that hangs is given up after an outage.

In an outage requests may hang until their timeout. When the platform answers again, those that
were sent before and have waited for much longer than answers take get none; their learners
need not wait for the timeout.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from pointsman.domain.clock import Clock
from pointsman.platforms.base import MutationResult, PlatformAnswer, RequestOutcome, Verdict

#: how fast the mean and the mean deviation follow, how many deviations an answer may be late, and
#: the least time that is waited: RFC 6298, section 2
_MEAN, _DEVIATION, _DEVIATIONS, _LEAST = 1 / 8, 1 / 4, 4, 1.0


@dataclass(slots=True)
class UsualLatency:
    """How long answers take, in seconds; learnt as TCP learns when to send again."""

    mean: float | None = None
    deviation: float = 0.0

    def learn(self, seconds: float) -> None:
        """An answer took so long."""
        if self.mean is None:
            self.mean, self.deviation = seconds, seconds / 2
            return
        self.deviation += _DEVIATION * (abs(seconds - self.mean) - self.deviation)
        self.mean += _MEAN * (seconds - self.mean)

    @property
    def longest(self) -> float | None:
        """What has taken longer hangs; None before the first answer."""
        if self.mean is None:
            return None
        return max(_LEAST, self.mean + _DEVIATIONS * self.deviation)


class RequestsUnderWay:
    """Told of outages by the breaker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latency = UsualLatency()
        #: the timeout of each request, and when it was sent
        self._sent: dict[asyncio.Timeout, float] = {}

    async def answer(
        self, request: Coroutine[Any, Any, PlatformAnswer], mutations: int = 0
    ) -> PlatformAnswer:
        """The answer to a request that is sent now; UNREACHABLE for one that was given up.

        `mutations` is how many it has: each of them may have run.
        """
        sent_at = self._clock.monotonic()
        timeout = asyncio.timeout(None)
        try:
            async with timeout:
                self._sent[timeout] = sent_at
                answer = await request
        except TimeoutError:
            if not timeout.expired():
                raise
            seconds = self._clock.monotonic() - sent_at
            words = f"no answer in {seconds:.1f} s, while the platform answers others again"
            unknown = MutationResult(Verdict.UNKNOWN, words)
            return PlatformAnswer(RequestOutcome.UNREACHABLE, (unknown,) * mutations, message=words)
        finally:
            self._sent.pop(timeout, None)
        if answer.sent and answer.outcome is not RequestOutcome.UNREACHABLE:
            self._latency.learn(self._clock.monotonic() - sent_at)
        return answer

    def platform_changed(self, now: float, *, is_out: bool) -> None:
        """After an outage nobody waits for what hangs; `now` is on the monotonic clock."""
        longest = self._latency.longest
        if is_out or longest is None:
            return
        loop_now = asyncio.get_running_loop().time()
        for timeout, sent_at in self._sent.items():
            timeout.reschedule(loop_now + max(0.0, sent_at + longest - now))
