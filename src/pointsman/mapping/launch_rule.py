"""Makes a rule of a launch that names its topic or course, and applies a launch's terms. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Literal

from pointsman.domain.launch import LAUNCH_RULE, Launch, PlayerKind, is_its_activity
from pointsman.domain.records import Decision, Observation
from pointsman.domain.uri_template import Template
from pointsman.mapping.rule_finder import RuleMatch
from pointsman.mapping.rules import VERB_NAMESPACES, CourseCompleted, CourseName, Rule, short_verb

#: launches whose players say something now
_CACHED_MATCHES = 4_096
#: the highest percentage before the moveOn is met
_MOST_BEFORE_MOVE_ON = 99.0
_COMPLETED = f"{VERB_NAMESPACES[0]}completed"
#: what the LMS says of sessions; a learner who comes back has not given up the course
_SESSION_VERBS = frozenset({"launched", "abandoned"})


def match_for_launch(launch: Launch, activity: str) -> RuleMatch:
    """The rule of a launch, taking this activity."""
    return _cached_match(
        launch.topic_id, launch.course_by, launch.course, launch.course_completed, activity
    )


@lru_cache(maxsize=_CACHED_MATCHES)
def _cached_match(
    topic_id: str,
    course_by: Literal["id", "slug", "sku", ""],
    course: str,
    completed: str,
    activity: str,
) -> RuleMatch:
    rule = _cached_rule(bool(topic_id), course_by, completed)
    return RuleMatch(rule, {"topic": topic_id, "course": course}, activity)


@lru_cache(maxsize=64)
def _cached_rule(
    has_topic: bool,
    course_by: Literal["id", "slug", "sku", ""],
    completed: str,
) -> Rule:
    """Cached, for few differ: ids are in the variables."""
    return Rule(
        name=LAUNCH_RULE,
        activity=Template("{activity}"),
        topic_id=Template("{topic}") if has_topic else None,
        course=CourseName(course_by, Template("{course}")) if course_by else None,
        course_completed=CourseCompleted(completed),
    )


def is_about_session(launch: Launch, observation: Observation) -> bool:
    """Whether it says that a session began or was abandoned, which is nobody's progress."""
    return launch.kind is PlayerKind.CMI5 and short_verb(observation.verb) in _SESSION_VERBS


def observation_for_launch(launch: Launch, observation: Observation) -> Observation:
    """The observation under the launch's terms.

    A pass below the mastery score is none (cmi5 section 9.3.4), and with a moveOn nothing but the
    LMS's own statement completes.
    """
    if launch.kind is not PlayerKind.CMI5 or not is_its_activity(launch, observation.activity):
        return observation
    if short_verb(observation.verb) == "passed" and _is_below(
        observation.score, launch.mastery_score
    ):
        observation = replace(observation, success=False)
    return _without_completion_before_move_on(observation) if launch.moves_on else observation


def with_due(launch: Launch, decision: Decision) -> Decision:
    """The decision with the launch's due time, which goes before that of a rule."""
    if not launch.due:
        return decision
    return replace(
        decision,
        changes=tuple(replace(change, deadline=launch.due) for change in decision.changes),
    )


def _is_below(score: float | None, mastery: float | None) -> bool:
    # 0.7 + 0.1 is 0.7999999999999999 in JavaScript, and 0.8 was meant
    return score is not None and mastery is not None and round(score, 12) < mastery


def _without_completion_before_move_on(observation: Observation) -> Observation:
    """The observation where only a met moveOn completes (cmi5 section 13.1.4).

    The activity is complete, and passed, when the LMS says that it is `satisfied` or
    `waived`. Until then a `completed` is 99 %, and a `passed` says nothing of how far.
    """
    verb = short_verb(observation.verb)
    if verb == "satisfied":
        # under a rule it is what `completed` would have been
        return replace(observation, verb=_COMPLETED, completion=True, success=True)
    if verb == "waived":
        return replace(observation, completion=True, success=True)
    is_done = observation.completion if observation.completion is not None else verb == "completed"
    progress = _MOST_BEFORE_MOVE_ON if is_done else observation.progress
    return replace(
        observation,
        completion=False,
        success=False,
        progress=None if progress is None else min(progress, _MOST_BEFORE_MOVE_ON),
        score=None
        if observation.score is None
        else min(observation.score, _MOST_BEFORE_MOVE_ON / 100),
    )
