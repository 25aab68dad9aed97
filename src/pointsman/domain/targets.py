"""What can be set on the platform, for whom, and where the platform shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: a percentage for topic progress, a word for everything else
Value = int | str


class TargetKind(StrEnum):
    """What can be set on the platform."""

    TOPIC_PROGRESS = "topic_progress"
    COURSE_STATUS = "course_status"
    LEARNING_PATH_ACCESS = "learning_path_access"
    MEETING_ATTENDANCE = "meeting_attendance"
    COURSE_ARCHIVED = "course_archived"
    LEARNING_PATH_ARCHIVED = "learning_path_archived"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One thing that can be set for one learner.

    `key` is what the platform calls it:
    - topic progress: the topic's id
    - course status: `id:…`, `slug:…` or `sku:…`
    - learning path access: its slug
    - meeting attendance: the course's id, or nothing, a space, and the learner
    - course and learning path archived: the id
    """

    kind: TargetKind
    key: str

    def __hash__(self) -> int:
        return hash(self.key)  # an enum's own hash is slow, and stores look up each change by this


class CourseStatus(StrEnum):
    """The platform's words for a course (`UpdateCourseStatus`)."""

    STARTED = "started"
    NOT_COMPLETED = "not-completed"
    COMPLETED = "completed"


class PathAccess(StrEnum):
    """The platform's words for a learning path (`UpdateLearningPathAccess`)."""

    NOT_STARTED = "not-started"
    STARTED = "started"
    NOT_COMPLETED = "not-completed"


class Attendance(StrEnum):
    """Whether a learner attended a meeting (`UpdateUserCourseMeetingAttendance`)."""

    NOT_ATTENDED = "not-attended"
    ATTENDED = "attended"


class Archived(StrEnum):
    """Whether a learner's course or path is out of sight (`Archive…`, `Reinstate…`)."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class RecipientKind(StrEnum):
    """Who the platform is told something for."""

    LEARNER = "learner"
    #: all attendance of one meeting is delivered together: it is the one mutation that names its
    #: user, so it may share a request across learners
    MEETING = "meeting"


@dataclass(frozen=True, slots=True)
class Recipient:
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

    def __hash__(self) -> int:
        return hash(self.id)  # as a target's

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
