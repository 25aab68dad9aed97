"""Records of the history: what moved desired state or did not, what was sent, what was read back.

It is kept for each learner in the transactions that change the state, and forgotten after a time:
it explains, nothing is decided by it. Frozen; times in microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import Recipient, Target, Value


class MoveResult(StrEnum):
    """What one input did to one target."""

    MOVED = "moved"
    #: the value was wanted already
    SAME = "same"
    #: the value is less far than what is wanted, and the rule lets nothing fall
    LOWER = "lower"
    #: a newer input has set the value, and the newest decides
    OLDER = "older"
    #: a newer attempt has begun, whose value counts
    OTHER_ATTEMPT = "other_attempt"
    #: it happened before somebody changed the state on the platform on purpose
    BEFORE_RESET = "before_reset"
    #: it counts, and more has to come before the value is reached
    INCOMPLETE = "incomplete"
    #: the statement is stored already
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class HistoryMove:
    """What one statement did to one target of a learner.

    `before` and `after` are the values wanted before and after it, None where nothing is known.
    """

    statement_id: str
    #: empty for what came from no source, as from `import-state`
    source: str
    occurred_at: int
    received_at: int
    #: when it was committed
    at: int
    rule: str
    recipient: Recipient
    target: Target
    #: what the input asked for; None where it only adds to what others say
    wanted: Value | None
    before: Value | None
    after: Value | None
    result: MoveResult


class SentMutation(NamedTuple):
    """One mutation of a request: `verdict` is what the platform did, `words` are its own.

    A tuple, for one is made of every mutation that is sent.
    """

    target: Target
    value: Value
    verdict: str
    words: str = ""


class SentRequest(NamedTuple):
    """One request to the platform, and its answer; a tuple as its mutations are."""

    id: str
    at: int
    points: int
    #: seconds until the answer
    seconds: float
    #: a `RequestOutcome`
    answer: str
    words: str = ""
    mutations: tuple[SentMutation, ...] = ()


@dataclass(frozen=True, slots=True)
class SettledState:
    """What became of one state in a turn: the fields of its settlement, and what it waited for."""

    recipient: Recipient
    target: Target
    value: Value
    version: int
    result: str
    reason: str = ""
    code: str = ""
    retry_at: int = 0
    #: arrival of the first change that was not delivered, and of the newest one
    since: int = 0
    changed_at: int = 0
    #: the statement and the rule that asked for it
    statement_id: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class ReadBackState:
    """What a reading of the platform said of one state; `result` is an `Audited`."""

    target: Target
    version: int
    result: str
    #: where it differs: what is shown, and what to do
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HistoryTurn:
    """One learner's part of a delivery, or a reading back."""

    id: int
    learner: str
    at: int
    requests: tuple[SentRequest, ...] = ()
    settled: tuple[SettledState, ...] = ()
    read_back: tuple[ReadBackState, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredState:
    """Desired state, and what only the store knows of its delivery; None where it never was."""

    desired: Desired
    delivered_at: int | None
    audited_at: int | None
    #: `agrees`, `resent`, `drift`, or empty
    audit: str


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """A recipient's place in the queue of delivery."""

    recipient: Recipient
    #: what the queue is sorted by; None where nothing is to be sent
    due: int | None
    is_ready: bool
    ready_at: int
    #: a `Hold`
    hold: int


@dataclass(frozen=True, slots=True)
class LearnerHistory:
    """All that is kept about one learner, as of one moment; moves and turns oldest first."""

    learner: str
    moves: tuple[HistoryMove, ...]
    turns: tuple[HistoryTurn, ...]
    states: tuple[StoredState, ...]
    queue: tuple[QueuePlace, ...]


@dataclass(frozen=True, slots=True)
class PrunedHistory:
    """What one step of pruning did."""

    rows: int
    #: the learner to go on after; empty where it begins anew
    after: str
