"""Remembers what observations that say the same change: progress is reported over and over.

Learner, statement and time are no part of it, so that one answer is good for all learners.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pointsman.domain.records import Falls, Observation
from pointsman.domain.targets import Recipient
from pointsman.mapping.rule_finder import RuleMatch
from pointsman.mapping.target_changes import TargetChange, target_changes

#: what is remembered; when it is full, it begins anew
_MOST = 16_384
_known: dict[tuple[Any, ...], tuple[TargetChange, ...]] = {}


def changes_of(
    match: RuleMatch, observation: Observation, learner: Recipient
) -> tuple[TargetChange, ...]:
    """All that the observation changes under the rule that takes it. In any thread."""
    rule = match.rule
    # what was played is told apart by the second, and a meeting's target names the learner
    if observation.coverage is not None or rule.names:
        return _changes(match, observation, learner)
    key = (
        match,
        observation.verb,
        observation.completion,
        observation.success,
        observation.score,
        observation.progress,
        observation.activity_type,
        observation.registration if rule.falls is Falls.NEW_ATTEMPT else None,
    )
    changes = _known.get(key)
    if changes is None:
        changes = _changes(match, observation, learner)
        if len(_known) >= _MOST:
            _known.clear()
        _known[key] = changes
    return changes


def _changes(
    match: RuleMatch, observation: Observation, learner: Recipient
) -> tuple[TargetChange, ...]:
    if match.activity != observation.activity:
        observation = replace(observation, activity=match.activity)
    return tuple(target_changes(match.rule, match.values, observation, learner))
