"""Decides when a topic or a course is complete, by one observation or by several. Pure.

Completion comes of a statement that says so; of the slides of a rule that were seen; or, for a
recording, of what was played of it over all sessions, whatever the player says of completion. The
criteria are those of cmi5 section 13.1.4 (moveOn).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b

from pointsman.domain.evidence import Evidence
from pointsman.domain.frozen import record
from pointsman.domain.records import Falls, Observation
from pointsman.domain.targets import CourseStatus, Target, Value
from pointsman.mapping.result import COMPLETE, is_complete, is_passed, progress, stated_facts
from pointsman.mapping.rules import CourseCompleted, MoveOn, Rule, short_type, short_verb

_COMPLETED, _PASSED = frozenset({"completed"}), frozenset({"passed"})
#: which facts count for a criterion, and how many of them it takes
_CRITERIA = {
    CourseCompleted.COMPLETED: (_COMPLETED, 1),
    CourseCompleted.PASSED: (_PASSED, 1),
    CourseCompleted.COMPLETED_OR_PASSED: (_COMPLETED | _PASSED, 1),
    CourseCompleted.COMPLETED_AND_PASSED: (_COMPLETED | _PASSED, 2),
    MoveOn.COMPLETED: (_COMPLETED, 1),
    MoveOn.PASSED: (_PASSED, 1),
    MoveOn.COMPLETED_OR_PASSED: (_COMPLETED | _PASSED, 1),
    MoveOn.COMPLETED_AND_PASSED: (_COMPLETED | _PASSED, 2),
}
#: a name that is longer makes no good key, in characters
_MAX_NAME = 200


@record
class ConditionalValue:
    """A value that an observation leads to; with `evidence`, as far as all of it goes."""

    value: Value
    evidence: Evidence | None = None


def topic_values(rule: Rule, observation: Observation, topic: Target) -> list[ConditionalValue]:
    """What the observation makes of its topic's progress."""
    evidence = _gathered_evidence(rule, observation, topic)
    claimed = _claimed_progress(rule, observation)
    if rule.move_on is None:
        candidates = [] if evidence is None else [ConditionalValue(0, evidence)]
        return candidates if claimed is None else [*candidates, ConditionalValue(claimed)]
    if rule.move_on is MoveOn.NOT_APPLICABLE or short_verb(observation.verb) == "waived":
        return [ConditionalValue(COMPLETE)]
    counts, needed = _CRITERIA[rule.move_on]
    stated = _stated_facts(rule, observation, strict=True) & counts
    if len(stated) >= needed:
        return [ConditionalValue(COMPLETE)]
    candidates = [] if claimed is None else [ConditionalValue(min(claimed, COMPLETE - 1))]
    key = _evidence_key(
        "moveOn",
        rule.move_on,
        topic.key,
        _activity_key(observation.activity),
        _attempt_key(rule, observation),
    )
    both_stated = Evidence(key, needed, stated, partial=False)
    if stated:
        candidates.append(ConditionalValue(COMPLETE, both_stated))
    if evidence is not None:
        candidates.append(
            ConditionalValue(
                COMPLETE, _chained(evidence, replace(both_stated, items=counts & _COMPLETED))
            )
        )
    return candidates


def course_values(rule: Rule, observation: Observation, course: Target) -> list[ConditionalValue]:
    """How the observation completes its course, if it does; `waived` needs no criterion."""
    if short_verb(observation.verb) == "waived":
        return [
            ConditionalValue(
                CourseStatus.COMPLETED.value, _chained(*_part_evidence(rule, observation, course))
            )
        ]
    if rule.course_completed is CourseCompleted.NEVER:
        return []
    counts, needed = _CRITERIA[rule.course_completed]
    evidence_chains = []
    stated = _stated_facts(rule, observation, strict=needed > 1) & counts
    if stated:
        evidence_chains.append(
            _chained(*_course_evidence(rule, observation, course, stated, needed))
        )
    evidence_gathered = _gathered_evidence(rule, observation, course)
    if evidence_gathered is not None and counts & _COMPLETED:
        following = _course_evidence(rule, observation, course, _COMPLETED, needed)
        evidence_chains.append(_chained(evidence_gathered, *following))
    return [
        ConditionalValue(CourseStatus.COMPLETED.value, evidence) for evidence in evidence_chains
    ]


def _course_evidence(
    rule: Rule, observation: Observation, course: Target, stated_facts: frozenset[str], needed: int
) -> Iterator[Evidence]:
    """Both facts of one activity, where it takes both; and as many activities as are needed."""
    if needed > 1:
        parts = (
            rule.course_completed,
            course.key,
            _activity_key(observation.activity),
            _attempt_key(rule, observation),
        )
        yield Evidence(_evidence_key("both", *parts), needed, stated_facts, partial=False)
    yield from _part_evidence(rule, observation, course)


def _part_evidence(rule: Rule, observation: Observation, course: Target) -> Iterator[Evidence]:
    if rule.course_parts > 1:
        key = _evidence_key("parts", rule.course_completed, course.key)
        yield Evidence(key, rule.course_parts, frozenset({observation.activity}), partial=False)


def _chained(*links: Evidence) -> Evidence | None:
    chained: Evidence | None = None
    for link in reversed(links):
        chained = replace(link, then=chained)
    return chained


def _stated_facts(rule: Rule, observation: Observation, *, strict: bool) -> frozenset[str]:
    """`completed` and `passed`, as far as the statement says so by itself."""
    if _is_slide(rule, observation):
        return frozenset()
    stated = stated_facts(observation) if strict else _facts_where_passed_is_completed(observation)
    return stated - _COMPLETED if _states_played_spans(observation) else stated


def _facts_where_passed_is_completed(observation: Observation) -> frozenset[str]:
    """Where whatever is passed is completed too."""
    completed = _COMPLETED if is_complete(observation) else frozenset[str]()
    return completed | _PASSED if is_passed(observation) else completed


def _gathered_evidence(rule: Rule, observation: Observation, target: Target) -> Evidence | None:
    """What completes the activity once enough of it has come."""
    if _is_slide(rule, observation):
        if rule.slides is None or short_verb(observation.verb) != "experienced":
            return None
        key = _evidence_key("slides", target.kind, target.key, _attempt_key(rule, observation))
        return Evidence(key, rule.slides, frozenset({observation.activity}))
    if observation.coverage is None:
        return None
    return Evidence(
        _evidence_key(
            "played",
            target.kind,
            target.key,
            _activity_key(observation.activity),
            _attempt_key(rule, observation),
        ),
        observation.coverage.length,
        spans=observation.coverage.spans or (),
        threshold=observation.coverage.threshold,
    )


def _claimed_progress(rule: Rule, observation: Observation) -> int | None:
    """What the player claims, where nothing better is known."""
    if _is_slide(rule, observation) or _states_played_spans(observation):
        return None
    if rule.move_on is not None:
        observation = replace(observation, completion="completed" in stated_facts(observation))
    return progress(observation, score_is_progress=rule.score_is_progress)


def _states_played_spans(observation: Observation) -> bool:
    """Whether it says what share was played, which is better than what the player claims.

    Spans of a recording whose length is not told are no share. What is claimed beside them counts.
    """
    coverage = observation.coverage
    return coverage is not None and coverage.spans is not None and math.isfinite(coverage.length)


def _is_slide(rule: Rule, observation: Observation) -> bool:
    """An activity of a rule that counts slides, unless it says that it is their course."""
    return rule.slides is not None and short_type(observation.activity_type) != "course"


def _attempt_key(rule: Rule, observation: Observation) -> str:
    """What is gathered starts anew where an attempt does."""
    return observation.registration or "" if rule.falls is Falls.NEW_ATTEMPT else ""


def _activity_key(activity: str) -> str:
    if len(activity) <= _MAX_NAME:
        return activity
    return f"blake2b:{blake2b(activity.encode(), digest_size=16).hexdigest()}"


def _evidence_key(*words: str) -> str:
    return " ".join(words).rstrip()
