"""The seam of stage 4: what every store can do. One contract suite tests them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from pointsman.model import (
    Desired,
    Outcome,
    Position,
    Receipt,
    SealedToken,
    Submission,
    Target,
    TargetKind,
    Value,
)

#: how the reason of a parked target begins that waits for another one of its observation
WAITS = "waits for "


@dataclass(frozen=True, slots=True)
class Lease:
    """The sole right to deliver one learner until `expires_at` or `settle`.

    `token` fences: a settle with another token than the newest lease's changes nothing.
    `desired` holds all that is not delivered for the learner, parked ones included.
    """

    learner: str
    token: int
    expires_at: int
    desired: tuple[Desired, ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one mutation that was sent, or held back.

    - delivered: the platform stands at `version`
    - retry: send again; counts as a failure
    - untried: was not run; stays dirty, and is no failure
    - parked: only a cure outside helps; `reason` is for a person
    """

    target: Target
    version: int
    result: Literal["delivered", "retry", "untried", "parked"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """One statement as it came, and what the endpoint assigned to it."""

    statement_id: str
    body: bytes
    #: its place in `body` when that is an array
    index: int | None
    stored_at: int
    source: str


@dataclass(frozen=True, slots=True)
class Window:
    """The books of one fixed quota window, so that a restart does not forget what is spent."""

    ends_at: int
    points: int
    requests: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """Gauges for the metrics page."""

    dirty: Mapping[TargetKind, int]
    parked: Mapping[TargetKind, int]
    dead_letters: int
    unmatched: int
    #: arrival of the oldest change that is dirty and not parked, None when all is delivered
    oldest_dirty: int | None


@dataclass(frozen=True, slots=True)
class Books:
    """The two sums of promise 2. `problems` are other contradictions found on the way."""

    accepted: int
    outcomes: Mapping[Outcome, int]
    desired: int
    delivered: int
    dirty: int
    parked: int
    problems: tuple[str, ...] = ()

    @property
    def balanced(self) -> bool:
        return (
            not self.problems
            and self.accepted == sum(self.outcomes.values())
            and self.desired == self.delivered + self.dirty + self.parked
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "balanced": self.balanced,
            "inputs": {"accepted": self.accepted, **{k.value: v for k, v in self.outcomes.items()}},
            "desired": {
                "total": self.desired,
                "delivered": self.delivered,
                "dirty": self.dirty,
                "parked": self.parked,
            },
            "problems": list(self.problems),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """What the audit saw of one delivered state, which had `version` then.

    `reason` is for whoever finds it parked.
    """

    target: Target
    version: int
    result: Literal["agrees", "differs", "unreadable"]
    reason: str = ""


class Audited(StrEnum):
    """What became of a finding."""

    AGREES = "agrees"
    UNREADABLE = "unreadable"
    #: differs for the first time: dirty again
    RESENT = "resent"
    #: differs although it was sent again: parked
    DRIFT = "drift"
    #: has moved since; nothing was done
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Known:
    """The platform is known to stand at this value, and nobody sent it."""

    learner: str
    target: Target
    value: Value
    read_back: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the platform agrees with what was delivered at one place (`Desired.read_back`)."""

    place: str
    agrees: int
    resent: int
    drift: int
    unreadable: int
    #: delivered, and not looked at since
    waiting: int


class Store(Protocol):
    """Durable memory. Every method raises `StoreUnavailable` when it could not do its work."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Remember submissions; returns after the commit, a receipt each, in order.

        Merges desired state, dedups by statement id, stores bodies, dead letters and positions,
        all in one transaction. Concurrent calls share a commit.
        """
        ...

    async def statement(self, statement_id: str) -> StoredStatement | None: ...

    async def positions(self, group: str) -> list[Position]:
        """Where each partition of a consumer group is to be read from."""
        ...

    async def lease(self, *, now: int, ttl: int, limit: int) -> list[Lease]:
        """Take up to `limit` learners with something to send, the most urgent first.

        `ttl` is in microseconds. Completions come first, and anything that has waited longer
        than the head start of completions comes before them.
        """
        ...

    async def settle(
        self, lease: Lease, settlements: Sequence[Settlement], *, now: int, ready_at: int
    ) -> bool:
        """Record what was sent and give the lease back; False when the lease was no longer ours.

        What is left to send of this learner is leased again at `ready_at`, or at once when it
        holds a completion that has not failed.
        """
        ...

    async def unpark(
        self, learners: Sequence[str] | None = None, *, reason_prefix: str = ""
    ) -> int:
        """Free parked state (of these learners, or all) whose reason starts so; says how many."""
        ...

    async def next_ready_at(self) -> int | None:
        """When the next learner can be leased; None when nothing is dirty."""
        ...

    async def window(self) -> Window | None: ...

    async def save_window(self, window: Window) -> None: ...

    async def delivered_sample(
        self, *, limit: int, settled_before: int, again_before: int
    ) -> dict[str, tuple[Desired, ...]]:
        """Delivered state that can be read back, of up to `limit` learners.

        What was never looked at comes first, completions before the rest and the newest before
        the older; then what was last looked at before `again_before`. What was delivered after
        `settled_before` is left alone.
        """
        ...

    async def audit(
        self, learner: str, findings: Sequence[Finding], *, now: int
    ) -> dict[Target, Audited]:
        """Record findings: dirty once where they differ, and parked where they differ again."""
        ...

    async def undelivered(self) -> dict[str, tuple[Desired, ...]]:
        """All desired state that is not delivered and can be read back, by learner."""
        ...

    async def take_as_delivered(self, known: Sequence[Known], *, now: int) -> int:
        """What the platform stands at counts as delivered; how many records that changed.

        Desired state that is further along stays as it is, and is sent.
        """
        ...

    async def sealed_tokens(self) -> list[SealedToken]:
        """All authTokens that are kept."""
        ...

    async def save_sealed_tokens(self, rows: Sequence[SealedToken], gone: Sequence[str]) -> None:
        """Keep these, in place of what these learners had; forget those of `gone`."""
        ...

    async def backlog(self) -> Backlog: ...

    async def books(self) -> Books: ...
