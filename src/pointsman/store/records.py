"""The records that a store takes and gives. Frozen; times in microseconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from pointsman.domain.records import Desired, InputOutcome
from pointsman.domain.targets import Target, TargetKind, Value

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
    #: when it was committed; later than all that was committed before it
    stored_at: int
    source: str
    received_at: int
    #: the version of xAPI that it was sent in
    version: str = "1.0.0"


@dataclass(frozen=True, slots=True)
class StatementPlace:
    """Where a statement stands in the order of storing: the commit, and its rank there."""

    commit: int
    rank: int


@dataclass(frozen=True, slots=True)
class Search:
    """Statements under all of `keys`, stored after `since` and not after `until`.

    Begins behind `after`; newest first, or with `ascending` oldest first.
    """

    keys: tuple[int, ...] = ()
    since: int | None = None
    until: int | None = None
    ascending: bool = False
    after: StatementPlace | None = None


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Candidates in order, each with its place; `after` is where to go on, None at the end."""

    found: tuple[tuple[StatementPlace, StoredStatement], ...]
    after: StatementPlace | None


#: xAPI's own, and what we keep the same way: launches, their sessions and the authTokens they bring
DocumentResource = Literal[
    "state", "activity_profile", "agent_profile", "launch", "session", "launch_token"
]


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """What a document is kept under (xAPI Part 3 section 2.2); "" for what its resource lacks.

    `agent` is an identity as text, and `name` the stateId or profileId. Documents of ours are
    kept under a registration or a learner as their name.
    """

    resource: DocumentResource
    activity: str = ""
    agent: str = ""
    registration: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes as they came; `etag` is their SHA-1 in hexadecimal digits."""

    content_type: str
    content: bytes
    etag: str
    updated_at: int


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
    outcomes: Mapping[InputOutcome, int]
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
class AuditFinding:
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
class KnownDelivered:
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


@dataclass(frozen=True, slots=True)
class Parked:
    """One desired state that can't be sent; `since` is when its first change arrived."""

    learner: str
    kind: TargetKind
    key: str
    value: Value
    since: int
    reason: str


@dataclass(frozen=True, slots=True)
class StoredDeadLetter:
    """An input that could not be understood. `body` is empty in lists."""

    id: int
    source: str
    origin: str
    reason: str
    statement_id: str | None
    #: it is a valid statement too, known by its id
    in_statements: bool
    received_at: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class UnmatchedSummary:
    """An activity that no rule takes: how often it came, and one statement of it."""

    activity: str
    inputs: int
    sample_id: str
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """A statement that is kept, for deciding about it anew."""

    statement: StoredStatement
    outcome: InputOutcome
    #: where to go on after it: the commit that stored it, and its id
    cursor: tuple[int, str]


@dataclass(frozen=True, slots=True)
class Move:
    """A desired state that a replay moves, or would move; `before` is None where it is new."""

    learner: str
    target: Target
    before: Value | None
    after: Value
    rule: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What deciding anew came to: the outcomes that changed, by (before, after), and the moves."""

    outcomes: Mapping[tuple[InputOutcome, InputOutcome], int]
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Stats:
    """What the store holds, and how big it is on disk (bytes, by table or file)."""

    schema: int
    rows: Mapping[str, int]
    bytes: Mapping[str, int]
    #: the oldest statement that is still kept
    oldest_statement: int | None
