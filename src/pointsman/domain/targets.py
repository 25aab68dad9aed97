"""Targets that can be set, their recipients, and where the platform shows them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pointsman.domain.target_kinds import (
    TARGET_KINDS,
    Archived,
    Attendance,
    CourseStatus,
    PathAccess,
    TargetKind,
    Value,
)

__all__ = [
    "Archived",
    "Attendance",
    "CourseStatus",
    "PathAccess",
    "ReadBackKind",
    "ReadBackPlace",
    "Recipient",
    "RecipientKind",
    "Target",
    "TargetKind",
    "Value",
    "is_completion",
    "is_further",
    "is_urgent",
    "rank",
]


class Target(NamedTuple):
    """One thing that can be set for one learner; `key` is as `TargetKind` says.

    A tuple, as a recipient is: each change of a statement is looked up by the two.
    """

    kind: TargetKind
    key: str


def rank(target: Target, value: Value) -> int:
    """What is further along is higher."""
    return TARGET_KINDS[target.kind].rank(value)


def is_further(target: Target, value: Value, than: Value) -> bool:
    """Whether a value is further along than another."""
    if isinstance(value, int) and isinstance(than, int):
        return value > than
    return value != than and rank(target, value) > rank(target, than)


def is_completion(target: Target, value: Value) -> bool:
    """Completions: a topic at 100, a course completed, a meeting attended. They go first."""
    return value == TARGET_KINDS[target.kind].complete


def is_urgent(target: Target, value: Value) -> bool:
    """Completions, and every status: only a topic's partial progress can wait."""
    kind = TARGET_KINDS[target.kind]
    return bool(kind.values) or value == kind.complete


class RecipientKind(StrEnum):
    """Who the platform is told something for."""

    LEARNER = "learner"
    #: all attendance of one meeting is delivered together: it is the one mutation that names its
    #: user, so it may share a request across learners
    MEETING = "meeting"

    # as the text that it is: an enum's own is slow
    __hash__ = str.__hash__


class Recipient(NamedTuple):
    """A learner, or a meeting. Make one with `learner`, `meeting` or `from_text`.

    As text, which the store keeps and commands show, a meeting has `meeting:` before its id.
    """

    kind: RecipientKind
    #: the platform's name of the learner, or the meeting's id
    id: str

    @classmethod
    def learner(cls, name: str) -> Recipient:
        """A learner; one whose name would read like a meeting gets `actor:` before it."""
        return cls(_LEARNER, f"actor:{name}" if name.startswith(_MEETING_PREFIX) else name)

    @classmethod
    def meeting(cls, meeting_id: str) -> Recipient:
        return cls(_MEETING, meeting_id)

    @classmethod
    def from_text(cls, text: str) -> Recipient:
        """What `str` made of it."""
        if text.startswith(_MEETING_PREFIX):
            return cls(_MEETING, text.removeprefix(_MEETING_PREFIX))
        return cls(_LEARNER, text)

    @property
    def is_meeting(self) -> bool:
        return self.kind is _MEETING

    def __str__(self) -> str:
        return self.id if self.kind is _LEARNER else f"{_MEETING_PREFIX}{self.id}"


_LEARNER, _MEETING = RecipientKind.LEARNER, RecipientKind.MEETING
_MEETING_PREFIX = "meeting:"


class ReadBackKind(StrEnum):
    """What the platform shows progress of."""

    COURSE = "course"
    PATH = "path"


@dataclass(frozen=True, slots=True, order=True)
class ReadBackPlace:
    """Where the platform shows what it was told: a course by its id, a path by its slug.

    As text it is `course:ID` or `path:SLUG`.
    """

    kind: ReadBackKind
    key: str

    @classmethod
    def course(cls, course_id: str) -> ReadBackPlace:
        return cls(ReadBackKind.COURSE, course_id)

    @classmethod
    def path(cls, slug: str) -> ReadBackPlace:
        return cls(ReadBackKind.PATH, slug)

    @classmethod
    def from_text(cls, text: str) -> ReadBackPlace:
        """What `str` made of it. Raises `ValueError` for anything else."""
        kind, _, key = text.partition(":")
        return cls(ReadBackKind(kind), key)

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.key}"
