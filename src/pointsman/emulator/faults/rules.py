"""The kinds of faults: the settings of each, when it happens, and to which requests."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

#: a day: no fault lasts longer
_LONGEST = 86_400.0

Seconds = Annotated[float, Field(ge=0, le=_LONGEST)]


class _Fault(BaseModel):
    """At `every` n-th request that it is for, and then with this `chance`, it strikes.

    Without either it strikes each time. `times` is how many requests at most. The rest says which
    requests it is for: one with a field of this `operation`, of this `learner` (by the authToken),
    with this text in its body.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: what it strikes: a request to `/helium`, a webhook, an event, or a request to the REST API
    stage: ClassVar[Literal["graphql", "webhook", "event", "rest"]] = "graphql"

    chance: float = Field(default=1.0, gt=0, le=1)
    every: int = Field(default=1, ge=1)
    times: int | None = Field(default=None, ge=1)
    operation: str | None = None
    learner: str | None = None
    containing: str | None = None


class Latency(_Fault):
    """The answer takes so many seconds longer."""

    kind: Literal["latency"]
    seconds: Seconds


class Throttle(_Fault):
    """HTTP 429, though the quota is not used up; `burst` requests in a row."""

    kind: Literal["throttle"]
    retry_after: Seconds = 1.0
    burst: int = Field(default=1, ge=1)


class ServerError(_Fault):
    """HTTP 5xx, and nothing ran; `burst` requests in a row."""

    kind: Literal["server_error"]
    status: int = Field(default=503, ge=500, le=599)
    burst: int = Field(default=1, ge=1)


class DropBefore(_Fault):
    """The connection is dropped before anything ran."""

    kind: Literal["drop_before"]


class DropAfter(_Fault):
    """The connection is dropped after everything ran: the answer is lost."""

    kind: Literal["drop_after"]


class RefuseFault(_Fault):
    """One field of the document is refused with this `code`, and a mutation ends there.

    Which: the one at this `place` (from 0), or the first with an `argument` of this value, or
    without either the middle one. Where there is no such field, the fault does not strike.
    """

    kind: Literal["refuse"]
    place: int | None = Field(default=None, ge=0)
    argument: str | None = None
    code: str = Field(default="INTERNAL_SERVER_ERROR", pattern=r"^[A-Z_]+$")

    @model_validator(mode="after")
    def _names_one_field(self) -> RefuseFault:
        if self.place is not None and self.argument is not None:
            raise ValueError("takes place or argument, not both")
        return self


class ExpireTokens(_Fault):
    """The authToken of the request expires just now, or `all` tokens do.

    With a `place`, it expires while the request runs: just before the field at that place (from 0).
    Where there is no such field, the fault does not strike.
    """

    kind: Literal["expire_tokens"]
    all: bool = False
    place: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _expires_once(self) -> ExpireTokens:
        if self.place is not None and self.all:
            raise ValueError("takes place or all, not both")
        return self


class Steal(_Fault):
    """Another client of the instance sends so many requests just now, of so many points in all.

    With `per_minute`, it sends so many a minute, from the first request that the fault is for: at
    each, what has come together since the last is taken. A minute's worth at once is the most.
    """

    kind: Literal["steal"]
    requests: int = Field(default=1, ge=0)
    points: int = Field(default=0, ge=0)
    per_minute: bool = False

    @model_validator(mode="after")
    def _takes_something(self) -> Steal:
        if not self.requests and not self.points:
            raise ValueError("must steal requests or points")
        return self


class ResetSkew(_Fault):
    """`X-RateLimit-Reset` is off by so many seconds."""

    kind: Literal["reset_skew"]
    seconds: float = Field(ge=-3_600, le=3_600)


class _WebhookFault(_Fault):
    """Of webhooks: `operation` is the event's name, `learner` whose event it is."""

    stage = "webhook"


class LoseWebhook(_WebhookFault):
    """It is never sent."""

    kind: Literal["lose_webhook"]


class RepeatWebhook(_WebhookFault):
    """It is sent so many times more, all at once."""

    kind: Literal["repeat_webhook"]
    repeats: int = Field(default=1, ge=1, le=100)


class DelayWebhook(_WebhookFault):
    """It is sent so many seconds later, so that others overtake it."""

    kind: Literal["delay_webhook"]
    seconds: Seconds


class MissignWebhook(_WebhookFault):
    """Its first attempt is signed with another secret."""

    kind: Literal["missign_webhook"]


class BackdateWebhook(_WebhookFault):
    """The `timestamp` of its first attempt is so many seconds too old; the signature is good."""

    kind: Literal["backdate_webhook"]
    seconds: float = Field(default=172_800.0, ge=0)


class HideEvent(_Fault):
    """The feed shows the event only so many seconds later, with its own time."""

    stage = "event"
    kind: Literal["hide_event"]
    seconds: Seconds


class FailRest(_Fault):
    """A request to the REST API is refused with this status; `operation` is the feed's name."""

    stage = "rest"
    kind: Literal["fail_rest"]
    status: int = Field(default=503, ge=400, le=599)
    #: seconds of `Retry-After`
    retry_after: Seconds | None = None


class SlowRest(_Fault):
    """An answer of the REST API takes so many seconds longer."""

    stage = "rest"
    kind: Literal["slow_rest"]
    seconds: Seconds


_Any = (
    Latency
    | Throttle
    | ServerError
    | DropBefore
    | DropAfter
    | RefuseFault
    | ExpireTokens
    | Steal
    | ResetSkew
    | LoseWebhook
    | RepeatWebhook
    | DelayWebhook
    | MissignWebhook
    | BackdateWebhook
    | HideEvent
    | FailRest
    | SlowRest
)
Fault = Annotated[_Any, Field(discriminator="kind")]
FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)
#: for people
KINDS = ", ".join(get_args(fault.model_fields["kind"].annotation)[0] for fault in get_args(_Any))
