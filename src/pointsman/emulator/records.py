"""The record of one learner on the emulated platform, and its JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter


@dataclass(slots=True)
class CourseRecord:
    """One learner in one course, from the first thing recorded there."""

    status: str
    changed_at: datetime
    #: topic updates so far
    views: int = 0


@dataclass(slots=True)
class PathRecord:
    """One learner in one learning path."""

    status: str = "not-started"
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(slots=True)
class ActionRecord:
    """A completed milestone."""

    id: str
    path: str
    milestone: str
    at: datetime


@dataclass(slots=True)
class LearnerRecord:
    #: percent by topic id
    topics: dict[str, int] = field(default_factory=dict)
    #: by course id
    courses: dict[str, CourseRecord] = field(default_factory=dict)
    #: by learning path id
    paths: dict[str, PathRecord] = field(default_factory=dict)
    actions: list[ActionRecord] = field(default_factory=list)
    #: when, by meeting id
    attended: dict[str, datetime] = field(default_factory=dict)
    archived_courses: set[str] = field(default_factory=set)
    archived_paths: set[str] = field(default_factory=set)
    #: courses that an administrator took away
    revoked_courses: set[str] = field(default_factory=set)
    #: when granted, by the id of the course or learning path
    certificates: dict[str, datetime] = field(default_factory=dict)


_RECORD = TypeAdapter(LearnerRecord)


def dump(record: LearnerRecord) -> dict[str, Any]:
    """The record as JSON's types."""
    dumped: dict[str, Any] = _RECORD.dump_python(record, mode="json")
    return dumped


def load(dumped: dict[str, Any]) -> LearnerRecord:
    """What `dump` gave. Raises pydantic's `ValidationError` for anything else."""
    return _RECORD.validate_python(dumped)
