"""What a fault is: its kind with that kind's own settings, when it strikes, and whom."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

#: a day: no fault lasts longer
_LONGEST = 86_400.0

Seconds = Annotated[float, Field(ge=0, le=_LONGEST)]


class _Fault(BaseModel):
    """Strikes with this `chance`, or at `every` n-th request that it is for; both: by chance.

    Without either it strikes each time. `times` is how often at most. The rest says which
    requests it is for: one with a field of this `operation`, of this `learner` (by the authToken),
    with this text in its variables or document.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

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


class Refuse(_Fault):
    """The field at this `place` (from 0; the middle one without it) is refused with this `code`."""

    kind: Literal["refuse"]
    place: int | None = Field(default=None, ge=0)
    code: str = Field(default="INTERNAL_SERVER_ERROR", pattern=r"^[A-Z_]+$")


class ExpireTokens(_Fault):
    """The authToken of the request expires just now, or `all` tokens do."""

    kind: Literal["expire_tokens"]
    all: bool = False


class Steal(_Fault):
    """Another client of the instance sends so many requests just now, of so many points in all."""

    kind: Literal["steal"]
    requests: int = Field(default=1, ge=0)
    points: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _takes_something(self) -> Steal:
        if not self.requests and not self.points:
            raise ValueError("must steal requests or points")
        return self


class ResetSkew(_Fault):
    """`X-RateLimit-Reset` is off by so many seconds."""

    kind: Literal["reset_skew"]
    seconds: float = Field(ge=-3_600, le=3_600)


Fault = Annotated[
    Latency
    | Throttle
    | ServerError
    | DropBefore
    | DropAfter
    | Refuse
    | ExpireTokens
    | Steal
    | ResetSkew,
    Field(discriminator="kind"),
]
FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)
