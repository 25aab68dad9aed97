"""The seam of stage 6: a platform takes one learner's mutations and answers each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pointsman.model import Target, Value

#: how the reason of state begins that is parked for want of a good authToken
TOKEN_TROUBLE = "token: "  # noqa: S105 - words before a reason


@dataclass(frozen=True, slots=True)
class Mutation:
    """Set `target` to `value`."""

    target: Target
    value: Value


class Verdict(StrEnum):
    """What the platform did with one mutation."""

    #: it ran
    DONE = "done"
    #: it was refused, and will be again
    REFUSED = "refused"
    #: it was not run, because another one before it was refused or the request was turned away
    NOT_RUN = "not_run"
    #: nobody knows, or it failed for a passing reason; sending again is safe
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MutationResult:
    """The verdict on one mutation; `words` are the platform's own, for a person."""

    verdict: Verdict
    words: str = ""


class Answer(StrEnum):
    """What a whole request came to."""

    #: the platform worked on it; look at each result
    ANSWERED = "answered"
    #: HTTP 429 or RATE_LIMITED: nothing ran
    THROTTLED = "throttled"
    #: the document was refused as a whole before anything ran, for one of its mutations perhaps
    DOCUMENT_REFUSED = "document_refused"
    #: the learner's authToken is refused: nothing ran
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a word for it, not a token
    #: the instance's apiKey is refused: nothing ran, and nothing of anybody will
    KEY_REFUSED = "key_refused"
    #: no answer, or a 5xx: each mutation may or may not have run
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class RateReading:
    """What the answer's headers say of the quota. All seconds are counted from the answer.

    None means that the header was missing or made no sense.
    """

    points_left: int | None = None
    resets_in: float | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """The platform's answer to one request: a result for each mutation, in order."""

    answer: Answer
    results: tuple[MutationResult, ...]
    rate: RateReading = RateReading()
    words: str = ""
    #: HTTP status, None without an answer
    status: int | None = None


class Platform(Protocol):
    """A platform that charges points for mutations."""

    def price(self, mutations: Sequence[Mutation]) -> int:
        """Points that one request with these mutations costs."""
        ...

    async def deliver(self, auth_token: str, mutations: Sequence[Mutation]) -> Delivery:
        """Send one request for one learner, in this order. Never raises for what came back."""
        ...

    async def probe(self) -> Delivery:
        """One request for nobody, priced 1: tells a refused key from a refused token."""
        ...

    async def close(self) -> None: ...


class TokenProvider(Protocol):
    """Where a learner's authToken comes from."""

    async def token(self, learner: str) -> str:
        """The learner's authToken. Raises `NoToken`, saying where one was looked for."""
        ...

    async def refused(self, learner: str, token: str) -> bool:
        """The platform refused `token`. True when another one can be had at once."""
        ...
