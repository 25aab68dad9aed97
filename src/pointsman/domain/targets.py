"""What can be set on the platform, and to which values. What is true of a kind: `target_kinds`."""

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


class CourseStatus(StrEnum):
    """What a learner's course can be set to."""

    STARTED = "started"
    NOT_COMPLETED = "not-completed"
    COMPLETED = "completed"


class PathAccess(StrEnum):
    """What a learner's learning path can be set to."""

    NOT_STARTED = "not-started"
    STARTED = "started"
    NOT_COMPLETED = "not-completed"


class Attendance(StrEnum):
    """Whether a learner attended a meeting."""

    NOT_ATTENDED = "not-attended"
    ATTENDED = "attended"


class Archived(StrEnum):
    """Whether a learner's course or path is out of sight."""

    ACTIVE = "active"
    ARCHIVED = "archived"


#: how the name begins under which all attendance of one meeting is delivered together: it is the
#: one mutation that names its user, so it may share a request across learners
MEETING = "meeting:"
