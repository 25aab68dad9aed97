"""What a story is made of: all that was read to answer one question. Frozen; microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pointsman.domain.platform_events import KnownFact
from pointsman.domain.records import InputOutcome
from pointsman.domain.statement_reading import StatementReading
from pointsman.domain.target_kinds import TargetKind
from pointsman.domain.targets import ReadBackPlace
from pointsman.store.history_records import HistoryTurn, LearnerHistory
from pointsman.store.statement_records import StoredDeadLetter
from pointsman.story.question import Question


@dataclass(frozen=True, slots=True)
class InputFact:
    """A stored statement about the learner."""

    statement_id: str
    source: str
    received_at: int
    #: what became of it then
    outcome: InputOutcome
    #: what the rules of now make of it; None where it is valid no longer
    reading: StatementReading | None


@dataclass(frozen=True, slots=True)
class QuotaFact:
    """What is left of our part of the quota window."""

    ends_at: int
    points: int
    requests: int


@dataclass(frozen=True, slots=True)
class Facts:
    """`inputs` are those that moved nothing, and what more is known of those that did, by id."""

    question: Question
    #: as the store knows them
    learner: str
    now: int
    history: LearnerHistory
    inputs: Mapping[str, InputFact] = field(default_factory=dict)
    dead_letters: tuple[StoredDeadLetter, ...] = ()
    #: the newest deliveries of anybody, the newest first
    newest_turns: tuple[HistoryTurn, ...] = ()
    quota: QuotaFact | None = None
    #: a template of a rule that would take an activity, by activity
    proposals: Mapping[str, str] = field(default_factory=dict)
    #: how this learner gets an authToken, as a command or in words
    token_cure: str = ""
    #: why nothing is delivered at all, in words; empty while it is
    paused: str = ""
    #: why nothing of a kind is delivered, in words, by kind
    paused_kinds: Mapping[TargetKind, str] = field(default_factory=dict)
    #: what the platform said by itself, by place
    platform: Mapping[ReadBackPlace, Sequence[KnownFact]] = field(default_factory=dict)
    #: a completion that nobody confirmed for so long is unconfirmed, in microseconds
    unconfirmed_after: int = 3_600_000_000
    #: until when inputs of this learner are refused after they were forgotten; None where not
    forgotten_until: int | None = None
