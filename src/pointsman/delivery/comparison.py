"""Whether the platform shows what it was told. Pure.

Only what can be known is judged: no operation tells the percentage of a single topic, or a course's
status in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pointsman.domain.errors import Bug
from pointsman.domain.records import Desired
from pointsman.domain.targets import (
    CourseStatus,
    PathAccess,
    ReadBackPlace,
    TargetKind,
    Value,
)
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


def compare(desired: Desired, shown: PlatformState) -> Comparison:
    """Desired state against what is shown at its `read_back`."""
    match desired.target.kind:
        case TargetKind.TOPIC_PROGRESS:
            return _topic(desired, shown)
        case TargetKind.COURSE_STATUS:
            return _course(desired, shown)
        case TargetKind.LEARNING_PATH_ACCESS:
            return _path(desired, shown)
        case _:
            return Comparison(Judgement.UNREADABLE, "no operation shows it")


def _topic(desired: Desired, shown: PlatformState) -> Comparison:
    if desired.target.key in shown.completed_topics:
        # further along than it was told is no disagreement: progress does not fall
        return Comparison(Judgement.AGREES, "complete", _COMPLETE)
    if desired.value == _COMPLETE:
        return Comparison(Judgement.DIFFERS, "not complete")
    return Comparison(Judgement.UNREADABLE, "not complete, and no operation shows how far it is")


def _course(desired: Desired, shown: PlatformState) -> Comparison:
    if shown.completed:
        if desired.value == CourseStatus.NOT_COMPLETED:
            return Comparison(Judgement.UNREADABLE, "100 %, which may be its topics alone")
        return Comparison(Judgement.AGREES, "completed", CourseStatus.COMPLETED.value)
    if desired.value == CourseStatus.COMPLETED:
        return Comparison(Judgement.DIFFERS, "not completed")
    if desired.value == CourseStatus.STARTED and shown.started:
        return Comparison(Judgement.AGREES, "started", CourseStatus.STARTED.value)
    return Comparison(Judgement.UNREADABLE, "not completed, and no operation shows more")


def _path(desired: Desired, shown: PlatformState) -> Comparison:
    if desired.value == PathAccess.STARTED:
        if shown.started:
            return Comparison(Judgement.AGREES, "started", PathAccess.STARTED.value)
        return Comparison(Judgement.DIFFERS, "not started")
    if desired.value == PathAccess.NOT_STARTED:
        if shown.started:
            return Comparison(Judgement.DIFFERS, "started")
        return Comparison(Judgement.AGREES, "not started", PathAccess.NOT_STARTED.value)
    return Comparison(Judgement.UNREADABLE, "no operation shows it")
