"""What an observation says about progress, completion and success. Pure functions.

cmi5 section 9.3 (verbs) and section 9.5.5.1 (progress); xAPI Part 2 section 2.4.5 (result).
"""

from __future__ import annotations

import math

from pointsman.domain.records import Observation
from pointsman.mapping.rules import short_verb

COMPLETE = 100
_PASSING = frozenset({"passed", "mastered"})
#: what is said with these is about a part of the activity, and never about the whole
_OF_A_PART = frozenset({"answered", "asked", "interacted", "responded"})


def is_complete(seen: Observation) -> bool:
    """`result.completion`, or a verb that means it; an explicit no outweighs the verb."""
    if seen.completion is not None:
        return seen.completion
    verb = short_verb(seen.verb)
    return verb == "completed" or (verb in _PASSING and seen.success is not False)


def is_passed(seen: Observation) -> bool:
    """`result.success`, or a verb that means it; `passed` without success is not passed."""
    if seen.success is not None:
        return seen.success
    return short_verb(seen.verb) in _PASSING


def facts(seen: Observation) -> frozenset[str]:
    """`completed` and `passed`, for those who tell them apart: passing is not completing."""
    verb = short_verb(seen.verb)
    if verb in _OF_A_PART:
        return frozenset()
    completed = seen.completion if seen.completion is not None else verb == "completed"
    said = {"completed": completed, "passed": is_passed(seen)}
    return frozenset(fact for fact, holds in said.items() if holds)


def progress(seen: Observation, *, score_is_progress: bool) -> int | None:
    """A whole percentage, or None where nothing is said.

    Completion is 100 whatever the extension says. Fractions are cut, never rounded up: 99.9 is
    not complete.
    """
    if is_complete(seen):
        return COMPLETE
    if seen.progress is not None:
        return _whole(seen.progress)
    if score_is_progress and seen.score is not None:
        return _whole(max(0.0, seen.score) * 100)
    return None


def _whole(percentage: float) -> int:
    # round first, so that 0.29 * 100 = 28.999999999999996 is 29
    return math.floor(round(percentage, 6))
