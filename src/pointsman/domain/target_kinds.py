"""What is true of each target kind: one table. A new kind is a row here and a platform's operation.

A kind without a row is refused when this module is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar

from pointsman.domain.comparison import (
    Compare,
    Comparison,
    PlatformState,
    compare_course,
    compare_path,
    compare_topic,
    not_shown,
)
from pointsman.domain.errors import Bug
from pointsman.domain.targets import (
    Archived,
    Attendance,
    CourseStatus,
    PathAccess,
    Target,
    TargetKind,
    Value,
)

T = TypeVar("T")


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
    #: how what is read back is compared
    compare: Compare
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


def for_every_kind(rows: Mapping[TargetKind, T], table: str) -> Mapping[TargetKind, T]:
    """The rows of a table that must know every kind. Raises `Bug` where one is missing."""
    if missing := [kind.value for kind in TargetKind if kind not in rows]:
        raise Bug(f"{table} has no row for the target kind {', '.join(missing)}; add it there")
    return rows


TARGET_KINDS = for_every_kind(
    {
        TargetKind.TOPIC_PROGRESS: TargetKindRow(
            values=(),
            complete=100,
            order=RequestOrder.TOPICS,
            settings=("topic_id",),
            compare=compare_topic,
        ),
        TargetKind.COURSE_STATUS: TargetKindRow(
            values=tuple(CourseStatus),
            complete=CourseStatus.COMPLETED.value,
            order=RequestOrder.FIRST,
            order_of={CourseStatus.COMPLETED.value: RequestOrder.COMPLETIONS},
            settings=("course_id", "course_slug", "course_sku"),
            one_setting=True,
            compare=compare_course,
        ),
        TargetKind.LEARNING_PATH_ACCESS: TargetKindRow(
            values=tuple(PathAccess),
            complete=None,
            order=RequestOrder.FIRST,
            settings=("learning_path_slug",),
            compare=compare_path,
            summary="starts the learning path {}",
        ),
        TargetKind.COURSE_ARCHIVED: TargetKindRow(
            values=tuple(Archived),
            complete=None,
            order=RequestOrder.FIRST,
            order_of={Archived.ARCHIVED.value: RequestOrder.LAST},
            settings=("course_id",),
            compare=not_shown,
        ),
        TargetKind.LEARNING_PATH_ARCHIVED: TargetKindRow(
            values=tuple(Archived),
            complete=None,
            order=RequestOrder.FIRST,
            order_of={Archived.ARCHIVED.value: RequestOrder.LAST},
            settings=("learning_path_id",),
            compare=not_shown,
            summary="archives or reinstates the learning path with id {} when the verb says so",
        ),
        TargetKind.MEETING_ATTENDANCE: TargetKindRow(
            values=tuple(Attendance),
            complete=Attendance.ATTENDED.value,
            order=RequestOrder.FIRST,
            settings=("meeting_id", "course_id"),
            compare=not_shown,
            names_user=True,
            summary="sets the attendance of meeting {} (attended, registered)",
        ),
    },
    "domain/target_kinds.py",
)

#: the settings that name a target by themselves; topics and courses are fields of a rule's own
NAMING_SETTINGS = tuple(row.settings[0] for row in TARGET_KINDS.values() if row.summary)


def rank(target: Target, value: Value) -> int:
    """What is further along is higher."""
    return TARGET_KINDS[target.kind].rank(value)


def is_completion(target: Target, value: Value) -> bool:
    """Completions: a topic at 100, a course completed, a meeting attended. They go first."""
    return value == TARGET_KINDS[target.kind].complete


def compare(target: Target, wanted: Value, shown: PlatformState) -> Comparison:
    """What is wanted of a target against what is shown where it can be read back."""
    return TARGET_KINDS[target.kind].compare(target.key, wanted, shown)
