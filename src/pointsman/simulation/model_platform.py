"""A platform with the published limits, as far as time and quota go: no GraphQL, no sockets.

Its windows are fixed: one opens at the first request after the last one's end, whoever's request it
is. Answers say what is left as the real platform's headers do: points, and the time of the reset in
whole seconds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pointsman.domain.clock import Clock
from pointsman.domain.targets import Target, Value
from pointsman.platforms.base import (
    Mutation,
    MutationResult,
    PlatformAnswer,
    RateReading,
    RequestOutcome,
    Verdict,
)

#: a share of the instance's quota that others use, drawn again for each window
Share = Callable[[random.Random], float]


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` until `end`, in seconds since the simulation began."""

    begin: float
    end: float

    def __contains__(self, time: float) -> bool:
        return self.begin <= time < self.end


def nobody_else(_: random.Random) -> float:
    """The quota is ours alone."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Weather:
    """What a platform and the network do to requests. Times in seconds."""

    #: from sending a request to having its answer, as the time at which it is sent has it
    latency: Callable[[float, random.Random], float] = field(default=lambda _, __: 0.15)
    #: it answers with HTTP 5xx
    outages: tuple[Span, ...] = ()
    #: it answers with HTTP 401, whoever the learner is
    refusals: tuple[Span, ...] = ()
    competitor: Share = nobody_else


@dataclass(slots=True)
class Counts:
    """What the platform has seen of us."""

    requests: int = 0
    mutations: int = 0
    throttled: int = 0
    #: of those, when our own requests alone would have been too many
    throttled_by_us: int = 0
    failed: int = 0
    refused: int = 0


class ModelPlatform:
    """A `Platform` whose requests take time in virtual time, and nothing else."""

    def __init__(
        self,
        clock: Clock,
        weather: Weather,
        *,
        requests_per_minute: int,
        points_per_minute: int,
        seed: int,
        remembers: bool = False,
    ) -> None:
        self._clock = clock
        self._weather = weather
        self._requests_limit = requests_per_minute
        self._points_limit = points_per_minute
        self._random = random.Random(seed)  # noqa: S311 - weather, no secret
        self._opened_at = -math.inf
        self._requests = self._points = 0
        self._others = 0.0
        self._remembers = remembers
        self.counts = Counts()
        #: what it was told, for tests that compare
        self.state: dict[tuple[str | None, Target], Value] = {}

    @property
    def quota_window(self) -> float:
        return 60.0

    def price(self, mutations: Sequence[Mutation]) -> int:
        """Each of the mutations that return a scalar costs one point."""
        return len(mutations)

    async def deliver(
        self, auth_token: str | None, mutations: Sequence[Mutation]
    ) -> PlatformAnswer:
        latency = self._weather.latency(self._clock.monotonic(), self._random)
        await self._clock.sleep(latency / 2)
        answer = self._arrive(auth_token, mutations)
        await self._clock.sleep(latency / 2)
        return answer

    async def probe(self) -> PlatformAnswer:
        return await self.deliver(None, ())

    def remedy(self, message: str, setting: str) -> str:
        return f"see {setting}: {message}"

    async def close(self) -> None:
        """Nothing is open."""

    def _arrive(self, auth_token: str | None, mutations: Sequence[Mutation]) -> PlatformAnswer:
        now = self._clock.monotonic()
        self.counts.requests += 1
        if any(now in span for span in self._weather.outages):
            self.counts.failed += 1
            unknown = MutationResult(Verdict.UNKNOWN, "HTTP 503")
            return PlatformAnswer(
                RequestOutcome.UNREACHABLE, (unknown,) * len(mutations), message="HTTP 503"
            )
        if not self._pay(now, max(1, len(mutations))):
            wait = math.ceil(self._opened_at + self.quota_window - now)
            not_run = MutationResult(Verdict.NOT_RUN, "HTTP 429")
            return PlatformAnswer(
                RequestOutcome.THROTTLED,
                (not_run,) * len(mutations),
                RateReading(retry_after=float(wait)),
                "HTTP 429",
            )
        if mutations and any(now in span for span in self._weather.refusals):
            self.counts.refused += 1
            not_run = MutationResult(Verdict.NOT_RUN, "HTTP 401")
            return PlatformAnswer(
                RequestOutcome.TOKEN_REFUSED,
                (not_run,) * len(mutations),
                self._reading(now),
                "HTTP 401",
                key_in_doubt=True,
            )
        self.counts.mutations += len(mutations)
        if self._remembers:
            self.state.update(((auth_token, one.target), one.value) for one in mutations)
        done = (MutationResult(Verdict.DONE),) * len(mutations)
        return PlatformAnswer(RequestOutcome.ANSWERED, done, self._reading(now))

    def _pay(self, now: float, points: int) -> bool:
        if now >= self._opened_at + self.quota_window:
            self._open(now)
        part = self._others * (now - self._opened_at) / self.quota_window
        fits = (
            self._requests + 1 + part * self._requests_limit <= self._requests_limit
            and self._points + points + part * self._points_limit <= self._points_limit
        )
        if not fits:
            self.counts.throttled += 1
            self.counts.throttled_by_us += self._requests + 1 > self._requests_limit
            return False
        self._requests += 1
        self._points += points
        return True

    def _open(self, now: float) -> None:
        self._others = self._weather.competitor(self._random)
        if self._others and self._opened_at > -math.inf:
            # others send all the time, so that windows follow one another without a gap
            passed = (now - self._opened_at) // self.quota_window
            self._opened_at += passed * self.quota_window
        else:
            self._opened_at = now
        self._requests = self._points = 0

    def _reading(self, now: float) -> RateReading:
        ends_at = self._opened_at + self.quota_window
        others = self._others * (now - self._opened_at) / self.quota_window * self._points_limit
        return RateReading(
            points_left=max(0, int(self._points_limit - self._points - others)),
            resets_in=float(math.ceil(ends_at) - math.floor(now)),
        )


class ModelTokens:
    """A `TokenProvider`: a learner's name is the learner's token, and a new one is as good."""

    async def open(self) -> None:
        """Nothing is kept."""

    async def run(self) -> None:
        """Nothing is watched."""

    async def close(self) -> None:
        """Nothing is open."""

    async def token(self, learner: str) -> str:
        return learner

    async def user_id(self, learner: str) -> str:
        return learner

    async def refused(self, learner: str, token: str) -> bool:  # noqa: ARG002 - the Protocol's
        return True
