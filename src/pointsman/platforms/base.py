"""The seam of stage 6: a platform takes one learner's mutations and answers each by itself.

What the platform's codes, statuses and operations are called is known behind it only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from pointsman.domain.frozen import record
from pointsman.domain.targets import ReadBackPlace, Target, Value


@record
class Mutation:
    """Set `target` to `value`, for the learner of the request.

    `occurred_at` dates a course status; `again` says that it was sent before, and how that ended
    is not known. Meeting attendance names its meeting and its user itself.
    """

    target: Target
    value: Value
    occurred_at: int | None = None
    again: bool = False
    meeting_id: str = ""
    user_id: str = ""


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


@record
class MutationResult:
    """The verdict on one mutation; `message` is the platform's own, for a person."""

    verdict: Verdict
    message: str = ""
    #: the authToken was good no longer when its turn came
    token_refused: bool = False


class RequestOutcome(StrEnum):
    """What a whole request came to."""

    #: the platform worked on it; look at each result
    ANSWERED = "answered"
    #: the quota is used up: nothing ran
    THROTTLED = "throttled"
    #: the document was refused as a whole before anything ran, for one of its mutations perhaps
    DOCUMENT_REFUSED = "document_refused"
    #: the learner's authToken is refused: nothing ran
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a name for it, not a token
    #: the instance's apiKey is refused: nothing ran, and nothing of anybody will
    KEY_REFUSED = "key_refused"
    #: no answer, or the platform is in trouble: each mutation may or may not have run
    UNREACHABLE = "unreachable"


#: outcomes of requests that came to nothing, whoever's they were
TROUBLE = frozenset(
    {RequestOutcome.UNREACHABLE, RequestOutcome.THROTTLED, RequestOutcome.KEY_REFUSED}
)


@record
class RateReading:
    """What the answer says of the quota. All seconds are counted from the answer.

    None means that it did not say so, or made no sense.
    """

    points_left: int | None = None
    resets_in: float | None = None
    retry_after: float | None = None


@record
class PlatformAnswer:
    """The platform's answer to one request: a result for each mutation, in order."""

    outcome: RequestOutcome
    results: tuple[MutationResult, ...] = ()
    rate: RateReading = RateReading()
    #: the platform's own, for a person
    message: str = ""
    #: a refused token may as well be a refused apiKey; `Platform.probe` tells
    key_in_doubt: bool = False
    #: False: the authToken can't be sent at all, so the platform was not asked
    sent: bool = True


class Platform(Protocol):
    """A platform that charges points for mutations."""

    @property
    def quota_window(self) -> float:
        """Seconds of the fixed window in which the platform counts points and requests."""
        ...

    def price(self, mutations: Sequence[Mutation]) -> int:
        """Points that one request with these mutations costs."""
        ...

    async def deliver(
        self, auth_token: str | None, mutations: Sequence[Mutation]
    ) -> PlatformAnswer:
        """Send one request, in this order. Never raises for what came back.

        `auth_token` chooses the learner; None for mutations that name their user. One that can't
        be sent is TOKEN_REFUSED.
        """
        ...

    async def probe(self) -> PlatformAnswer:
        """One request for nobody, priced 1: tells a refused key from a refused token."""
        ...

    def remedy(self, message: str, setting: str) -> str:
        """What a person can do about a mutation that was refused with this message.

        `setting` says in words which settings named what was refused.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class PlatformState:
    """What the platform shows of one course or learning path for one learner."""

    #: ids of the topics that are complete; of a course only
    completed_topics: frozenset[str] = frozenset()
    #: the course, or every required milestone of the path, is complete
    completed: bool = False
    started: bool = False
    #: when the learner has to be done with it, microseconds since the epoch; 0 for no such time
    due_at: int = 0
    #: of a path only
    certificate: bool = False
    certificate_pending: bool = False


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The answer to a reading. `places` has what is shown at each, or why it can't be read."""

    answer: PlatformAnswer
    places: Mapping[ReadBackPlace, PlatformState | str]


class ReadBackClient(Protocol):
    """Reads what the platform shows of courses and learning paths."""

    def price(self, places: Sequence[ReadBackPlace]) -> int:
        """Points that one request for these places costs."""
        ...

    async def read(self, auth_token: str, places: Sequence[ReadBackPlace]) -> ReadBack:
        """One request for one learner. Never raises for what came back."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class LoginAnswer:
    """The answer to one login; `token` is None where the platform refused, or gave no answer."""

    answer: PlatformAnswer
    token: str | None = field(default=None, repr=False)
    user_id: str | None = None

    @property
    def may_pass(self) -> bool:
        """Whether the same login may succeed later."""
        return self.answer.outcome in {RequestOutcome.UNREACHABLE, RequestOutcome.THROTTLED}


class LoginClient(Protocol):
    """Logs users of one instance in."""

    @property
    def points(self) -> int:
        """What one login costs at most."""
        ...

    async def log_in(self, email: str, password: str) -> LoginAnswer:
        """One login. Never raises for what came back."""
        ...

    async def close(self) -> None: ...


class TokenProvider(Protocol):
    """Where a learner's authToken comes from. Opened before it is asked, closed at the end."""

    async def open(self) -> None:
        """Take up what an earlier process knew."""
        ...

    async def run(self) -> None:
        """Look for new tokens until cancelled; returns at once where there is nothing to do."""
        ...

    async def close(self) -> None:
        """End what is under way, and keep what has to outlive the process."""
        ...

    async def token(self, learner: str) -> str:
        """The learner's authToken.

        Raises `NoToken`, saying where one was looked for, or `TokenDelayed`, when to ask again is
        all that can be done.
        """
        ...

    async def user_id(self, learner: str) -> str:
        """The learner's id on the platform. Raises as `token` does."""
        ...

    async def refused(self, learner: str, token: str) -> bool:
        """The platform refused `token`. True when another one can be had at once."""
        ...
