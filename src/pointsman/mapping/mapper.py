"""Decides by the rules what an observation changes of desired state. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pointsman.domain.launch import Launch, LaunchMode, is_its_activity
from pointsman.domain.records import Change, Decision, InputOutcome, Observation, WhyNot
from pointsman.domain.targets import Recipient
from pointsman.mapping.equal_observations import changes_of
from pointsman.mapping.identity import IdentityResolver
from pointsman.mapping.launch_rule import (
    is_about_session,
    match_for_launch,
    observation_for_launch,
    with_due,
)
from pointsman.mapping.rule_finder import RuleFinder, RuleMatch
from pointsman.mapping.rules import Rule, short_verb


class Mapper:
    """The rules in their order, and the resolver of actors."""

    def __init__(self, rules: Sequence[Rule], identity: IdentityResolver) -> None:
        self._finder = RuleFinder(rules)
        self._identity = identity

    def decide(self, observation: Observation, launch: Launch | None = None) -> Decision:
        """What the observation asks for. Unmatched and no effect come with a reason for a person.

        `launch` is the one that it belongs to: it says who the learner is, and it may say what its
        activity is on the platform.
        """
        if launch is None:
            return self._by_rules(observation, self._identity.resolve(observation.actor))
        return with_due(launch, self._by_launch(observation, launch))

    def _by_launch(self, observation: Observation, launch: Launch) -> Decision:
        if launch.mode is not LaunchMode.NORMAL:
            return Decision(
                InputOutcome.NO_EFFECT,
                reason=f"it was launched to {launch.mode.lower()}, which writes no progress",
                activity=observation.activity,
                why=WhyNot.LAUNCH_MODE,
            )
        if is_about_session(launch, observation):
            return Decision(
                InputOutcome.NO_EFFECT,
                reason="it is about the player's session, not about the learner's progress",
                activity=observation.activity,
                why=WhyNot.NO_PROGRESS,
            )
        observation = observation_for_launch(launch, observation)
        if not launch.says_what_it_is:
            return self._by_rules(observation, launch.learner)
        if is_its_activity(launch, observation.activity):
            activity = _activity_spelled_as_before(launch, observation.activity)
            match = match_for_launch(launch, activity)
            return _decide_by_rule(match, observation, launch.learner)
        decision = self._by_rules(observation, launch.learner)
        if decision.outcome is not InputOutcome.UNMATCHED:
            return decision
        return Decision(
            InputOutcome.NO_EFFECT,
            reason=f"it is about a part of {launch.activity}, which its launch maps as a whole",
            activity=observation.activity,
            why=WhyNot.NO_PROGRESS,
        )

    def _by_rules(self, observation: Observation, learner: str) -> Decision:
        matches = self._finder.matches(observation.activity)
        for match in matches:
            if match.rule.takes(observation):
                return _decide_by_rule(match, observation, learner)
        if matches:
            names = ", ".join(match.rule.name for match in matches)
            return Decision(
                InputOutcome.NO_EFFECT,
                reason=(
                    f"no rule for this activity takes the verb {observation.verb} and the type "
                    f"{observation.activity_type or 'none'} (asked: {names})"
                ),
                activity=observation.activity,
                why=WhyNot.NO_VERB,
            )
        near = self._finder.near_miss(observation.activity)
        return Decision(
            InputOutcome.UNMATCHED,
            reason=f"no rule's activity matches {observation.activity}{near and '; '}{near}",
            activity=observation.activity,
            why=WhyNot.NO_RULE,
        )


def _activity_spelled_as_before(launch: Launch, activity: str) -> str:
    """As it was sent where it differs in a last slash only, else as the launch has it."""
    is_spelled_so = activity.rstrip("/") == launch.activity.rstrip("/")
    return activity if is_spelled_so else launch.activity


def _decide_by_rule(match: RuleMatch, observation: Observation, learner: str) -> Decision:
    recipient = _recipient(learner)
    rule = match.rule
    # by position, and no generator, for it is done for every statement
    changes = [
        Change(
            change.meeting or recipient,
            change.target,
            change.value,
            observation.occurred_at,
            observation.statement_id,
            rule.name,
            observation.registration,
            change.falls,
            change.after,
            change.read_back,
            change.evidence,
            rule.fresh_within,
            rule.deadline,
        )
        for change in changes_of(match, observation, recipient)
    ]
    if changes:
        return Decision(InputOutcome.APPLIED, "", rule.name, observation.activity, tuple(changes))
    return Decision(
        InputOutcome.NO_EFFECT,
        reason=_no_effect_reason(rule, observation),
        rule=rule.name,
        activity=observation.activity,
        why=WhyNot.NO_PROGRESS,
    )


#: of learners whose statements come now
_recipient = lru_cache(maxsize=16_384)(Recipient.learner)


def _no_effect_reason(rule: Rule, observation: Observation) -> str:
    sentence = f"{observation.verb} says nothing about progress under rule {rule.name!r}"
    if observation.remark:
        return f"{sentence}: {observation.remark}"
    if rule.slides is not None:
        return f"{sentence}: of its slides only `experienced` counts"
    if rule.topic_id is not None and short_verb(observation.verb) == "experienced":
        return f"{sentence}: seen is not completed; a rule with `slides` counts what was seen"
    return sentence
