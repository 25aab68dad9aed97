"""Stage 3: an observation and the rules make changes of desired state. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pointsman.domain.launch import Launch, LaunchMode, is_its_activity
from pointsman.domain.records import Change, Decision, InputOutcome, Observation
from pointsman.domain.targets import Recipient
from pointsman.mapping.identity import IdentityResolver
from pointsman.mapping.launch_rule import as_launched, is_of_session, rule_of, values_of
from pointsman.mapping.rules import Rule, short_verb
from pointsman.mapping.target_changes import target_changes

#: players say the same few activities over and over
_REMEMBERED = 65_536


class Mapper:
    """Rules in their order, and who actors are."""

    def __init__(self, rules: Sequence[Rule], identity: IdentityResolver) -> None:
        self._rules = tuple(rules)
        self._identity = identity
        self._matches = lru_cache(maxsize=_REMEMBERED)(self._find_matches)

    def decide(self, seen: Observation, launch: Launch | None = None) -> Decision:
        """What `seen` asks for. Unmatched and no effect come back with a reason for a person.

        `launch` is the one that it belongs to: it says who the learner is, and it may say what its
        activity is on the platform.
        """
        if launch is None:
            return self._by_rules(seen, self._identity.resolve(seen.actor))
        if launch.mode is not LaunchMode.NORMAL:
            return Decision(
                InputOutcome.NO_EFFECT,
                reason=f"it was launched to {launch.mode.lower()}, which writes no progress",
                activity=seen.activity,
            )
        if is_of_session(launch, seen):
            return Decision(
                InputOutcome.NO_EFFECT,
                reason="it is about the player's session, not about the learner's progress",
                activity=seen.activity,
            )
        seen = as_launched(launch, seen)
        if not launch.says_what_it_is:
            return self._by_rules(seen, launch.learner)
        if is_its_activity(launch, seen.activity):
            return _apply(rule_of(launch), values_of(launch), seen, launch.learner)
        decision = self._by_rules(seen, launch.learner)
        if decision.outcome is not InputOutcome.UNMATCHED:
            return decision
        return Decision(
            InputOutcome.NO_EFFECT,
            reason=f"it is about a part of {launch.activity}, which its launch maps as a whole",
            activity=seen.activity,
        )

    def _by_rules(self, seen: Observation, learner: str) -> Decision:
        matches = self._matches(seen.activity)
        for rule, values in matches:
            if rule.takes(seen):
                return _apply(rule, values, seen, learner)
        if matches:
            names = ", ".join(rule.name for rule, _ in matches)
            return Decision(
                InputOutcome.NO_EFFECT,
                reason=(
                    f"no rule for this activity takes the verb {seen.verb} and the type "
                    f"{seen.activity_type or 'none'} (asked: {names})"
                ),
                activity=seen.activity,
            )
        return Decision(
            InputOutcome.UNMATCHED,
            reason=f"no rule's activity matches {seen.activity}",
            activity=seen.activity,
        )

    def _find_matches(self, activity: str) -> tuple[tuple[Rule, dict[str, str]], ...]:
        return tuple(
            (rule, values)
            for rule in self._rules
            if (values := rule.activity.match(activity)) is not None
        )


def _apply(rule: Rule, values: dict[str, str], seen: Observation, learner: str) -> Decision:
    changes = tuple(
        Change(
            recipient=want.recipient,
            target=want.target,
            value=want.value,
            occurred_at=seen.occurred_at,
            statement_id=seen.statement_id,
            rule=rule.name,
            registration=seen.registration,
            falls=want.falls,
            after=want.after,
            read_back=want.read_back,
            evidence=want.evidence,
        )
        for want in target_changes(rule, values, seen, Recipient.learner(learner))
    )
    if changes:
        return Decision(
            InputOutcome.APPLIED, rule=rule.name, activity=seen.activity, changes=changes
        )
    return Decision(
        InputOutcome.NO_EFFECT,
        reason=_why_nothing(rule, seen),
        rule=rule.name,
        activity=seen.activity,
    )


def _why_nothing(rule: Rule, seen: Observation) -> str:
    said = f"{seen.verb} says nothing about progress under rule {rule.name!r}"
    if seen.remark:
        return f"{said}: {seen.remark}"
    if rule.slides is not None:
        return f"{said}: of its slides only `experienced` counts"
    if rule.topic_id is not None and short_verb(seen.verb) == "experienced":
        return f"{said}: seen is not completed; a rule with `slides` counts what was seen"
    return said
