"""A valid statement -> what it says about one learner and one activity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from pointsman.errors import InputRefused
from pointsman.model import Observation
from pointsman.statements.activities import Activity
from pointsman.statements.identity import actor_of
from pointsman.statements.parse import Valid
from pointsman.statements.statement import VOIDED, Statement, moment

#: cmi5 section 9.5.5.1, and the spelling that Rise and others use; 0..100
_CMI5_PROGRESS = (
    "https://w3id.org/xapi/cmi5/result/extensions/progress",
    "http://w3id.org/xapi/cmi5/result/extensions/progress",
)
#: the video profile, "progress"; 0..1
_VIDEO_PROGRESS = "https://w3id.org/xapi/video/extensions/progress"


@dataclass(frozen=True, slots=True)
class NoEffect:
    """The statement is valid and says nothing about anybody's progress; `reason` says why."""

    reason: str
    activity: str = ""


class ReadingRefused(InputRefused):
    """The statement is valid xAPI, but a reading in it makes no sense."""


def observe(valid: Valid, received_at: int) -> Observation | NoEffect:
    """`received_at` is in microseconds since the epoch; raises `ReadingRefused`."""
    statement = valid.statement
    if statement.verb.id == VOIDED:
        return NoEffect("it voids another statement; progress that was delivered stays")
    if not isinstance(statement.object, Activity):
        return NoEffect("its object is not an activity")
    activity = statement.object.id
    actor = actor_of(statement.actor)
    if actor is None:
        return NoEffect("its actor is a group, not one learner", activity)
    definition = statement.object.definition
    result, context = statement.result, statement.context
    registration = context.registration if context is not None else None
    return Observation(
        statement_id=valid.statement_id,
        actor=actor,
        verb=statement.verb.id,
        activity=activity,
        registration=registration.lower() if registration is not None else None,
        occurred_at=_occurred_at(statement, received_at),
        progress=_progress(result.extensions) if result and result.extensions else None,
        completion=result.completion if result else None,
        success=result.success if result else None,
        score=result.score.scaled if result and result.score else None,
        activity_type=definition.type if definition is not None else None,
    )


def _occurred_at(statement: Statement, received_at: int) -> int:
    if statement.timestamp is None:
        return received_at
    at = moment(statement.timestamp)
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(received_at, round(at.timestamp() * 1_000_000))


def _progress(extensions: dict[str, Any]) -> float | None:
    for name in _CMI5_PROGRESS:
        if name in extensions:
            return _reading(name, extensions[name], 100)
    if _VIDEO_PROGRESS in extensions:
        # rounded, so that 0.29 is 29 and not 28.999999999999996
        return round(_reading(_VIDEO_PROGRESS, extensions[_VIDEO_PROGRESS], 1) * 100, 6)
    return None


def _reading(name: str, value: Any, most: int) -> float:
    number = math.nan
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
    if not 0 <= number <= most:
        raise ReadingRefused(
            f"result.extensions[{name}] must be a number from 0 to {most}, not {str(value)[:80]!r}"
        )
    return number
