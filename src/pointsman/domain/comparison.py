"""Whether the platform shows what it was told, one function a way of reading it. Pure.

Only what can be known is judged: no operation tells the percentage of a single topic, or a course's
status in words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pointsman.domain.targets import CourseStatus, PathAccess, Value

_COMPLETE = 100


@dataclass(frozen=True, slots=True)
class PlatformState:
    """What the platform shows of one course or learning path for one learner."""

    #: ids of the topics that are complete; of a course only
    completed_topics: frozenset[str] = frozenset()
    #: the course, or every required milestone of the path, is complete
    completed: bool = False
    started: bool = False


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


#: compares what a target, by its key, was set to with what is shown
Compare = Callable[[str, Value, PlatformState], Comparison]


def compare_topic(topic_id: str, wanted: Value, shown: PlatformState) -> Comparison:
    """By the completed topics of its course."""
    if topic_id in shown.completed_topics:
        # further along than it was told is no disagreement: progress does not fall
        return Comparison(Judgement.AGREES, "complete", _COMPLETE)
    if wanted == _COMPLETE:
        return Comparison(Judgement.DIFFERS, "not complete")
    return Comparison(Judgement.UNREADABLE, "not complete, and no operation shows how far it is")


def compare_course(_key: str, wanted: Value, shown: PlatformState) -> Comparison:
    """By the course's progress and completion."""
    if shown.completed:
        if wanted == CourseStatus.NOT_COMPLETED:
            return Comparison(Judgement.UNREADABLE, "100 %, which may be its topics alone")
        return Comparison(Judgement.AGREES, "completed", CourseStatus.COMPLETED.value)
    if wanted == CourseStatus.COMPLETED:
        return Comparison(Judgement.DIFFERS, "not completed")
    if wanted == CourseStatus.STARTED and shown.started:
        return Comparison(Judgement.AGREES, "started", CourseStatus.STARTED.value)
    return Comparison(Judgement.UNREADABLE, "not completed, and no operation shows more")


def compare_path(_key: str, wanted: Value, shown: PlatformState) -> Comparison:
    """By whether the learning path was started."""
    if wanted == PathAccess.STARTED:
        if shown.started:
            return Comparison(Judgement.AGREES, "started", PathAccess.STARTED.value)
        return Comparison(Judgement.DIFFERS, "not started")
    if wanted == PathAccess.NOT_STARTED:
        if shown.started:
            return Comparison(Judgement.DIFFERS, "started")
        return Comparison(Judgement.AGREES, "not started", PathAccess.NOT_STARTED.value)
    return Comparison(Judgement.UNREADABLE, "no operation shows it")


def not_shown(_key: str, _wanted: Value, _shown: PlatformState) -> Comparison:
    """For what can be set and not be read."""
    return Comparison(Judgement.UNREADABLE, "no operation shows it")
