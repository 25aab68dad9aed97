"""What can be set on the platform: one table, a row for each kind of target.

A new kind is a name, its values and a row here, a setting, when it is wanted, and a platform's
operation. A kind without a row is refused when this module is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TypeVar

from pointsman.domain.errors import Bug

K = TypeVar("K", bound=StrEnum)
T = TypeVar("T")

#: a percentage for topic progress, a word for everything else
Value = int | str


class TargetKind(StrEnum):
    """What can be set on the platform, and by which key a target of it is known."""

    #: the topic's id
    TOPIC_PROGRESS = "topic_progress"
    #: `id:…`, `slug:…` or `sku:…`
    COURSE_STATUS = "course_status"
    #: its slug
    LEARNING_PATH_ACCESS = "learning_path_access"
    #: the course's id, or nothing, a space, and the learner
    MEETING_ATTENDANCE = "meeting_attendance"
    #: the course's id
    COURSE_ARCHIVED = "course_archived"
    #: the path's id
    LEARNING_PATH_ARCHIVED = "learning_path_archived"

    # as the text that it is, which is what it is equal to; an enum's own is slow
    __hash__ = str.__hash__


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


class ShownBy(StrEnum):
    """What the platform shows of a target. How it is compared: `delivery/comparison`."""

    COMPLETED_TOPICS = "completed_topics"
    COURSE_PROGRESS = "course_progress"
    PATH_START = "path_start"
    NOTHING = "nothing"


class RequestOrder(IntEnum):
    """When, of all that goes in one request, something is sent (promise 5)."""

    FIRST = 0
    TOPICS = 1
    COMPLETIONS = 2
    LAST = 3


@dataclass(frozen=True, slots=True)
class TargetKindRow:
    """One kind."""

    #: what it can be set to, in the order in which it never falls back; empty for a percentage
    values: tuple[Value, ...]
    #: the value that counts as complete, which is delivered before all else; None for none
    complete: Value | None
    order: RequestOrder
    #: the rule's settings that name the target, the first before all
    settings: tuple[str, ...]
    #: what, of all that can be read back, says how far it is
    shown_by: ShownBy
    #: values that are sent at another time than `order`
    order_of: Mapping[Value, RequestOrder] = field(default_factory=dict)
    #: the rule names it with one of `settings`, not with all of them
    one_setting: bool = False
    #: its mutation names the user, so it needs no authToken, and shares requests across learners
    names_user: bool = False
    #: what `pointsman check` says that a rule does with it, {} is what names it; empty for topics
    #: and courses, where that takes more words
    summary: str = ""

    @property
    def is_percentage(self) -> bool:
        return not self.values

    @property
    def settings_phrase(self) -> str:
        """The settings, for a person."""
        *first, last = self.settings
        joined = " or " if self.one_setting else " and "
        return f"{', '.join(first)}{joined}{last}" if first else last

    def rank(self, value: Value) -> int:
        """What is further along is higher."""
        return value if isinstance(value, int) else self.values.index(value)

    def order_at(self, value: Value) -> RequestOrder:
        """When this value is sent, of all that goes in one request."""
        return self.order_of.get(value, self.order)


def for_every(keys: type[K], rows: Mapping[K, T], table: str) -> Mapping[K, T]:
    """The rows of a table that must know every one of `keys`. Raises `Bug` where one is missing."""
    if missing := [key.value for key in keys if key not in rows]:
        raise Bug(f"{table} has no row for the {keys.__name__} {', '.join(missing)}; add it there")
    return rows


TARGET_KINDS = for_every(
    TargetKind,
    {
        TargetKind.TOPIC_PROGRESS: TargetKindRow(
            values=(),
            complete=100,
            order=RequestOrder.TOPICS,
            settings=("topic_id",),
            shown_by=ShownBy.COMPLETED_TOPICS,
        ),
        TargetKind.COURSE_STATUS: TargetKindRow(
            values=tuple(CourseStatus),
            complete=CourseStatus.COMPLETED.value,
            order=RequestOrder.FIRST,
            order_of={CourseStatus.COMPLETED.value: RequestOrder.COMPLETIONS},
            settings=("course_id", "course_slug", "course_sku"),
            one_setting=True,
            shown_by=ShownBy.COURSE_PROGRESS,
        ),
        TargetKind.LEARNING_PATH_ACCESS: TargetKindRow(
            values=tuple(PathAccess),
            complete=None,
            order=RequestOrder.FIRST,
            settings=("learning_path_slug",),
            shown_by=ShownBy.PATH_START,
            summary="starts the learning path {}",
        ),
        TargetKind.COURSE_ARCHIVED: TargetKindRow(
            values=tuple(Archived),
            complete=None,
            order=RequestOrder.FIRST,
            order_of={Archived.ARCHIVED.value: RequestOrder.LAST},
            settings=("course_id",),
            shown_by=ShownBy.NOTHING,
        ),
        TargetKind.LEARNING_PATH_ARCHIVED: TargetKindRow(
            values=tuple(Archived),
            complete=None,
            order=RequestOrder.FIRST,
            order_of={Archived.ARCHIVED.value: RequestOrder.LAST},
            settings=("learning_path_id",),
            shown_by=ShownBy.NOTHING,
            summary="archives or reinstates the learning path with id {} when the verb says so",
        ),
        TargetKind.MEETING_ATTENDANCE: TargetKindRow(
            values=tuple(Attendance),
            complete=Attendance.ATTENDED.value,
            order=RequestOrder.FIRST,
            settings=("meeting_id", "course_id"),
            shown_by=ShownBy.NOTHING,
            names_user=True,
            summary="sets the attendance of meeting {} (attended, registered)",
        ),
    },
    "domain/target_kinds.py",
)

#: the settings that name a target by themselves; topics and courses are fields of a rule's own
NAMING_SETTINGS = tuple(row.settings[0] for row in TARGET_KINDS.values() if row.summary)
