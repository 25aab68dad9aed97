"""The records that a store takes and gives for confirmations. Frozen; times in microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from pointsman.domain.platform_events import KnownFact, PlatformEvent
from pointsman.domain.targets import ReadBackPlace, Target


class EventOutcome(StrEnum):
    """What became of one event."""

    #: a completion is confirmed that was not, or a certificate is new
    NEWS = "news"
    #: somebody changed the platform on purpose, and desired state took its value
    TAKEN_OVER = "taken_over"
    #: somebody changed the platform on purpose, and desired state stays: it is shown
    CONTRADICTED = "contradicted"
    #: known already
    REPEATED = "repeated"
    #: nothing of this learner and place was ever wanted: nothing is stored
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TakenEvent:
    """An event, and what became of it.

    `seconds` count from the arrival of the statement that completed the course to now; None where
    the event confirms no completion, or is no news.
    """

    event: PlatformEvent
    outcome: EventOutcome
    learner: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time of a feed that is being read; `cursor` is the next page of it."""

    since: int
    until: int
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class FeedPlace:
    """How far a feed is read: all until `read_until` was, and `current` is under way.

    A span that somebody asked for has a place of its own, which is dropped once it is read. What
    the audit spent has one too.
    """

    read_until: int = 0
    current: Span | None = None
    #: what it took so far, and the events that came
    requests: int = 0
    points: int = 0
    events: int = 0

    def to_json(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def from_json(cls, text: str) -> FeedPlace:
        row: dict[str, Any] = orjson.loads(text)
        current = row.pop("current")
        return cls(**row, current=None if current is None else Span(**current))


@dataclass(frozen=True, slots=True)
class FeedPage:
    """The place behind a page of a feed, which is stored with what the page brought."""

    name: str
    place: FeedPlace


class Stage(StrEnum):
    """How far a completion has come; it is stuck where the next one takes too long."""

    FINISHED = "finished"
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class CompletionState:
    """A course or path of a learner with all that the store knows of it.

    `is_completed` says that the course is wanted as completed; of a path only the facts say so.
    """

    learner: str
    place: ReadBackPlace
    target: Target
    rule: str
    is_completed: bool
    #: arrival of the statement that completed it, and when that happened
    finished_at: int
    occurred_at: int
    #: None while it is not delivered
    delivered_at: int | None
    #: in words for a person; empty where it can be sent
    parked: str
    #: `agrees`, `resent`, `drift`, `suspected`, `contradicted`, or empty
    audit: str
    audited_at: int | None
    facts: tuple[KnownFact, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """What the platform said of one learner's course or path."""

    place: ReadBackPlace
    facts: Sequence[KnownFact] = field(default_factory=tuple)
