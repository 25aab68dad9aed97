"""A launch that says what its activity is on the platform, as the rule that it stands for. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Literal

from pointsman.domain.launch import Launch, PlayerKind, is_its_activity
from pointsman.domain.records import Observation
from pointsman.domain.uri_template import Template
from pointsman.mapping.rules import VERB_NAMESPACES, Course, CourseCompleted, Rule, short_verb

#: what the books name as the rule
NAME = "launch"
#: how far it can get before its moveOn is met
_ALMOST = 99.0
_COMPLETED = f"{VERB_NAMESPACES[0]}completed"
#: what the LMS says of sessions; a learner who comes back has not given up the course
_OF_SESSIONS = frozenset({"launched", "abandoned"})


def values_of(launch: Launch) -> dict[str, str]:
    """The variables of its rule."""
    return {"topic": launch.topic_id, "course": launch.course}


def rule_of(launch: Launch) -> Rule:
    return _rule(bool(launch.topic_id), launch.course_by, launch.course_completed)


@lru_cache(maxsize=64)
def _rule(
    has_topic: bool,
    course_by: Literal["id", "slug", "sku", ""],
    completed: str,
) -> Rule:
    """Few differ, for ids are in the variables."""
    return Rule(
        name=NAME,
        activity=Template("{activity}"),
        topic_id=Template("{topic}") if has_topic else None,
        course=Course(course_by, Template("{course}")) if course_by else None,
        course_completed=CourseCompleted(completed),
    )


def is_of_session(launch: Launch, seen: Observation) -> bool:
    """Whether it says that a session began or broke off, which is nobody's progress."""
    return launch.kind is PlayerKind.CMI5 and short_verb(seen.verb) in _OF_SESSIONS


def as_launched(launch: Launch, seen: Observation) -> Observation:
    """What it says to this launch: a pass below the mastery score is none (cmi5 section 9.3.4)."""
    if launch.kind is not PlayerKind.CMI5 or not is_its_activity(launch, seen.activity):
        return seen
    if short_verb(seen.verb) == "passed" and _is_below(seen.score, launch.mastery_score):
        seen = replace(seen, success=False)
    return _as_moved_on(seen) if launch.moves_on else seen


def _is_below(score: float | None, mastery: float | None) -> bool:
    return score is not None and mastery is not None and score < mastery


def _as_moved_on(seen: Observation) -> Observation:
    """What it says where only a met moveOn completes (cmi5 section 13.1.4).

    The activity is complete, and passed, when the LMS says that it is `satisfied` or
    `waived`. Until then a `completed` is 99 %, and a `passed` says nothing of how far.
    """
    verb = short_verb(seen.verb)
    if verb == "satisfied":
        # under a rule it is what `completed` would have been
        return replace(seen, verb=_COMPLETED, completion=True, success=True)
    if verb == "waived":
        return replace(seen, completion=True, success=True)
    is_done = seen.completion if seen.completion is not None else verb == "completed"
    progress = _ALMOST if is_done else seen.progress
    return replace(
        seen,
        completion=False,
        success=False,
        progress=None if progress is None else min(progress, _ALMOST),
        score=None if seen.score is None else min(seen.score, _ALMOST / 100),
    )
