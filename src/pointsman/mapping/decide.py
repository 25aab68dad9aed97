"""Stage 3: an observation and the rules make changes of desired state. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pointsman.mapping.identity import IdentityResolver
from pointsman.mapping.readings import is_complete, is_passed, progress
from pointsman.mapping.rules import CourseCompleted, Rule
from pointsman.model import (
    Change,
    CourseStatus,
    Decision,
    Falls,
    Observation,
    Outcome,
    Target,
    TargetKind,
    Value,
)

#: players say the same few activities over and over
_REMEMBERED = 65_536


class Mapping:
    """Rules in their order, and who actors are."""

    def __init__(self, rules: Sequence[Rule], identity: IdentityResolver) -> None:
        self._rules = tuple(rules)
        self._identity = identity
        self._matches = lru_cache(maxsize=_REMEMBERED)(self._find_matches)

    def decide(self, seen: Observation) -> Decision:
        """What `seen` asks for. Unmatched and no effect come back with a reason for a person."""
        matches = self._matches(seen.activity)
        for rule, values in matches:
            if rule.takes(seen.verb):
                return self._apply(rule, values, seen)
        if matches:
            names = ", ".join(rule.name for rule, _ in matches)
            return Decision(
                Outcome.NO_EFFECT,
                reason=f"no rule for this activity takes the verb {seen.verb} (asked: {names})",
                activity=seen.activity,
            )
        return Decision(
            Outcome.UNMATCHED,
            reason=f"no rule's activity matches {seen.activity}",
            activity=seen.activity,
        )

    def _find_matches(self, activity: str) -> tuple[tuple[Rule, dict[str, str]], ...]:
        return tuple(
            (rule, values)
            for rule in self._rules
            if (values := rule.activity.match(activity)) is not None
        )

    def _apply(self, rule: Rule, values: dict[str, str], seen: Observation) -> Decision:
        learner = self._identity.resolve(seen.actor)
        changes: list[Change] = []

        def want(
            target: Target, value: Value, falls: Falls, after: tuple[Target, ...] = ()
        ) -> None:
            changes.append(
                Change(
                    learner=learner,
                    target=target,
                    value=value,
                    occurred_at=seen.occurred_at,
                    statement_id=seen.statement_id,
                    rule=rule.name,
                    registration=seen.registration,
                    falls=falls,
                    after=after,
                )
            )

        if rule.topic_id is not None:
            percentage = progress(seen, score_is_progress=rule.score_is_progress)
            if percentage is not None:
                topic = Target(TargetKind.TOPIC_PROGRESS, rule.topic_id.fill(values))
                want(topic, percentage, rule.falls)
        if rule.course is not None:
            topics = tuple(change.target for change in changes)
            if completes_course(rule.course_completed, seen):
                want(rule.course.target(values), CourseStatus.COMPLETED.value, Falls.NEVER, topics)
            elif rule.course_started:
                want(rule.course.target(values), CourseStatus.STARTED.value, Falls.NEVER)
        if changes:
            return Decision(
                Outcome.APPLIED, rule=rule.name, activity=seen.activity, changes=tuple(changes)
            )
        return Decision(
            Outcome.NO_EFFECT,
            reason=f"{seen.verb} says nothing about progress under rule {rule.name!r}",
            rule=rule.name,
            activity=seen.activity,
        )


def completes_course(by: CourseCompleted, seen: Observation) -> bool:
    """Whether `seen` completes the course of a rule that is completed `by` this."""
    match by:
        case CourseCompleted.NEVER:
            return False
        case CourseCompleted.COMPLETED:
            return is_complete(seen)
        case CourseCompleted.PASSED:
            return is_passed(seen)
        case CourseCompleted.COMPLETED_OR_PASSED:
            return is_complete(seen) or is_passed(seen)
