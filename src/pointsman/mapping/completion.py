"""When an observation completes a topic or a course, by itself or together with others. Pure.

Completion comes of a statement that says so; of the slides of a rule that were seen; or, for a
recording, of what was played of it over all sessions, whatever the player says of completion. The
criteria are those of cmi5 section 13.1.4 (moveOn).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b

from pointsman.domain.evidence import Evidence
from pointsman.domain.records import Falls, Observation
from pointsman.domain.targets import CourseStatus, Target, Value
from pointsman.mapping.result import COMPLETE, facts, is_complete, is_passed, progress
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


@dataclass(frozen=True, slots=True)
class CompletionRule:
    """One value that an observation leads to; with `evidence`, as far as all of it goes."""

    value: Value
    evidence: Evidence | None = None


def topic_ways(rule: Rule, seen: Observation, topic: Target) -> list[CompletionRule]:
    """What `seen` makes of its topic's progress."""
    gathered = _gathered(rule, seen, topic)
    told = _told(rule, seen)
    if rule.move_on is None:
        ways = [] if gathered is None else [CompletionRule(0, gathered)]
        return ways if told is None else [*ways, CompletionRule(told)]
    if rule.move_on is MoveOn.NOT_APPLICABLE or short_verb(seen.verb) == "waived":
        return [CompletionRule(COMPLETE)]
    counts, needed = _CRITERIA[rule.move_on]
    said = _said(rule, seen, strict=True) & counts
    if len(said) >= needed:
        return [CompletionRule(COMPLETE)]
    ways = [] if told is None else [CompletionRule(min(told, COMPLETE - 1))]
    key = _key("moveOn", rule.move_on, topic.key, _named(seen.activity), _attempt(rule, seen))
    met = Evidence(key, needed, said, partial=False)
    if said:
        ways.append(CompletionRule(COMPLETE, met))
    if gathered is not None:
        ways.append(
            CompletionRule(COMPLETE, _chain(gathered, replace(met, items=counts & _COMPLETED)))
        )
    return ways


def course_ways(rule: Rule, seen: Observation, course: Target) -> list[CompletionRule]:
    """How `seen` completes its course, if it does; `waived` does without a criterion."""
    if short_verb(seen.verb) == "waived":
        return [CompletionRule(CourseStatus.COMPLETED.value, _chain(*_parts(rule, seen, course)))]
    if rule.course_completed is CourseCompleted.NEVER:
        return []
    counts, needed = _CRITERIA[rule.course_completed]
    ways = []
    said = _said(rule, seen, strict=needed > 1) & counts
    if said:
        ways.append(_chain(*_links(rule, seen, course, said, needed)))
    gathered = _gathered(rule, seen, course)
    if gathered is not None and counts & _COMPLETED:
        rest = _links(rule, seen, course, _COMPLETED, needed)
        ways.append(_chain(gathered, *rest))
    return [CompletionRule(CourseStatus.COMPLETED.value, evidence) for evidence in ways]


def _links(
    rule: Rule, seen: Observation, course: Target, facts: frozenset[str], needed: int
) -> Iterator[Evidence]:
    """Both facts of one activity, where it takes both; and as many activities as it takes."""
    if needed > 1:
        words = (rule.course_completed, course.key, _named(seen.activity), _attempt(rule, seen))
        yield Evidence(_key("both", *words), needed, facts, partial=False)
    yield from _parts(rule, seen, course)


def _parts(rule: Rule, seen: Observation, course: Target) -> Iterator[Evidence]:
    if rule.course_parts > 1:
        key = _key("parts", rule.course_completed, course.key)
        yield Evidence(key, rule.course_parts, frozenset({seen.activity}), partial=False)


def _chain(*links: Evidence) -> Evidence | None:
    found: Evidence | None = None
    for link in reversed(links):
        found = replace(link, then=found)
    return found


def _said(rule: Rule, seen: Observation, *, strict: bool) -> frozenset[str]:
    """`completed` and `passed`, as far as the statement says so by itself."""
    if _is_slide(rule, seen):
        return frozenset()
    said = facts(seen) if strict else _loose_facts(seen)
    return said - _COMPLETED if _says_what_was_played(seen) else said


def _loose_facts(seen: Observation) -> frozenset[str]:
    """Where whatever is passed is completed too."""
    completed = _COMPLETED if is_complete(seen) else frozenset[str]()
    return completed | _PASSED if is_passed(seen) else completed


def _gathered(rule: Rule, seen: Observation, target: Target) -> Evidence | None:
    """What completes the activity once enough of it has come."""
    if _is_slide(rule, seen):
        if rule.slides is None or short_verb(seen.verb) != "experienced":
            return None
        key = _key("slides", target.kind, target.key, _attempt(rule, seen))
        return Evidence(key, rule.slides, frozenset({seen.activity}))
    if seen.coverage is None:
        return None
    return Evidence(
        _key("played", target.kind, target.key, _named(seen.activity), _attempt(rule, seen)),
        seen.coverage.length,
        spans=seen.coverage.spans or (),
        threshold=seen.coverage.threshold,
    )


def _told(rule: Rule, seen: Observation) -> int | None:
    """What the player claims, where nothing better is known."""
    if _is_slide(rule, seen) or _says_what_was_played(seen):
        return None
    if rule.move_on is not None:
        seen = replace(seen, completion="completed" in facts(seen))
    return progress(seen, score_is_progress=rule.score_is_progress)


def _says_what_was_played(seen: Observation) -> bool:
    return seen.coverage is not None and seen.coverage.spans is not None


def _is_slide(rule: Rule, seen: Observation) -> bool:
    """An activity of a rule that counts slides, unless it says that it is their course."""
    return rule.slides is not None and short_type(seen.activity_type) != "course"


def _attempt(rule: Rule, seen: Observation) -> str:
    """What is gathered starts anew where an attempt does."""
    return seen.registration or "" if rule.falls is Falls.NEW_ATTEMPT else ""


def _named(activity: str) -> str:
    if len(activity) <= _MAX_NAME:
        return activity
    return f"blake2b:{blake2b(activity.encode(), digest_size=16).hexdigest()}"


def _key(*words: str) -> str:
    return " ".join(words).rstrip()
