"""Whether the platform shows what it was told. Pure.

Only what can be known is judged: no operation tells the percentage of a single topic, or a course's
status in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pointsman.domain.desired_state import Desired
from pointsman.domain.errors import Bug
from pointsman.domain.target_kinds import TARGET_KINDS, ShownBy, for_every
from pointsman.domain.targets import CourseStatus, PathAccess, ReadBackPlace, Target, Value
from pointsman.platforms.base import PlatformState

_COMPLETE = 100


class Judgement(StrEnum):
    """What a comparison comes to."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`shown` says in words what the platform shows, or why that says nothing.

    `known` is the value that the platform is known to stand at.
    """

    judgement: Judgement
    shown: str
    known: Value | None = None


def place_of(desired: Desired) -> ReadBackPlace:
    """Where to look, of a record that the store handed out as one that can be read back."""
    if desired.read_back is None:
        raise Bug(f"{desired.target} of {desired.recipient} can't be read back")
    return desired.read_back


def compare(target: Target, wanted: Value, shown: PlatformState) -> Comparison:
    """What is wanted of a target against what is shown where it can be read back."""
    shown_by = TARGET_KINDS[target.kind].shown_by
    return _COMPARISONS[shown_by](target.key, wanted, shown)


def _by_completed_topics(topic_id: str, wanted: Value, shown: PlatformState) -> Comparison:
    if topic_id in shown.completed_topics:
        # further along than it was told is no disagreement: progress does not fall
        return Comparison(Judgement.AGREES, "complete", _COMPLETE)
    if wanted == _COMPLETE:
        return Comparison(Judgement.DIFFERS, "not complete")
    return Comparison(Judgement.UNREADABLE, "not complete, and no operation shows how far it is")


def _by_course_progress(_key: str, wanted: Value, shown: PlatformState) -> Comparison:
    if shown.completed:
        if wanted == CourseStatus.NOT_COMPLETED:
            return Comparison(Judgement.UNREADABLE, "100 %, which may be its topics alone")
        return Comparison(Judgement.AGREES, "completed", CourseStatus.COMPLETED.value)
    if wanted == CourseStatus.COMPLETED:
        return Comparison(Judgement.DIFFERS, "not completed")
    if wanted == CourseStatus.STARTED and shown.started:
        return Comparison(Judgement.AGREES, "started", CourseStatus.STARTED.value)
    return Comparison(Judgement.UNREADABLE, "not completed, and no operation shows more")


def _by_path_start(_key: str, wanted: Value, shown: PlatformState) -> Comparison:
    if wanted == PathAccess.STARTED:
        if shown.started:
            return Comparison(Judgement.AGREES, "started", PathAccess.STARTED.value)
        return Comparison(Judgement.DIFFERS, "not started")
    if wanted == PathAccess.NOT_STARTED:
        if shown.started:
            return Comparison(Judgement.DIFFERS, "started")
        return Comparison(Judgement.AGREES, "not started", PathAccess.NOT_STARTED.value)
    return Comparison(Judgement.UNREADABLE, "no operation shows it")


def _by_nothing(_key: str, _wanted: Value, _shown: PlatformState) -> Comparison:
    return Comparison(Judgement.UNREADABLE, "no operation shows it")


_COMPARISONS: Mapping[ShownBy, Callable[[str, Value, PlatformState], Comparison]] = for_every(
    ShownBy,
    {
        ShownBy.COMPLETED_TOPICS: _by_completed_topics,
        ShownBy.COURSE_PROGRESS: _by_course_progress,
        ShownBy.PATH_START: _by_path_start,
        ShownBy.NOTHING: _by_nothing,
    },
    "delivery/comparison.py",
)
