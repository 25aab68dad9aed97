"""Reads progress, completion and success from an observation. Pure functions.

cmi5 section 9.3 (verbs) and section 9.5.5.1 (progress); xAPI Part 2 section 2.4.5 (result).
"""

from __future__ import annotations

import math

from pointsman.domain.records import Observation
from pointsman.mapping.rules import short_verb

COMPLETE = 100
#: what adding up fractions is wrong by: ten times 0.1 is 0.9999999999999999
_TINY = 1e-10
_PASSED_VERBS = frozenset({"passed", "mastered"})
#: what is said with these is about a part of the activity, and never about the whole
_PART_VERBS = frozenset({"answered", "asked", "interacted", "responded"})


def is_complete(observation: Observation) -> bool:
    """`result.completion`, or a verb that means it; an explicit no outweighs the verb."""
    if observation.completion is not None:
        return observation.completion
    verb = short_verb(observation.verb)
    return verb == "completed" or (verb in _PASSED_VERBS and observation.success is not False)


def is_passed(observation: Observation) -> bool:
    """`result.success`, or a verb that means it; `passed` without success is not passed."""
    if observation.success is not None:
        return observation.success
    return short_verb(observation.verb) in _PASSED_VERBS


def stated_facts(observation: Observation) -> frozenset[str]:
    """`completed` and `passed`, for those who tell them apart: passing is not completing."""
    verb = short_verb(observation.verb)
    if verb in _PART_VERBS:
        return frozenset()
    completed = (
        observation.completion if observation.completion is not None else verb == "completed"
    )
    holds_by_fact = {"completed": completed, "passed": is_passed(observation)}
    return frozenset(fact for fact, holds in holds_by_fact.items() if holds)


def progress(observation: Observation, *, score_is_progress: bool) -> int | None:
    """A whole percentage, or None where nothing is said.

    Completion is 100 whatever the extension says, and what says that it is not complete is at most
    99. Fractions are cut, never rounded up: 99.9 is not complete.
    """
    if is_complete(observation):
        return COMPLETE
    if observation.progress is not None:
        percentage = _whole_percentage(observation.progress)
    elif score_is_progress and observation.score is not None:
        percentage = _whole_percentage(max(0.0, observation.score) * 100)
    else:
        return None
    return percentage if observation.completion is not False else min(percentage, COMPLETE - 1)


def _whole_percentage(percentage: float) -> int:
    # round first, so that 0.29 * 100 = 28.999999999999996 is 29
    whole = math.floor(round(percentage, 6))
    # and what rounds up to all of it is not all of it, but for a sum of fractions
    return min(whole, COMPLETE - 1) if percentage < COMPLETE - _TINY else whole
