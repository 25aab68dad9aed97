"""Reads from a valid statement what it says about one learner and one activity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TypeVar

from pointsman.domain.records import Observation
from pointsman.statements.activities import Activity
from pointsman.statements.actor_identity import actor_of
from pointsman.statements.extension_numbers import ReadingRefused, number, percentage
from pointsman.statements.parse import Valid
from pointsman.statements.profiles import h5p, video
from pointsman.statements.statement import VOIDED, Statement, parse_timestamp
from pointsman.statements.validation import Problem, StatementsRefused

T = TypeVar("T")

#: cmi5 section 9.5.5.1, and the spelling that Rise and others use; 0..100
_CMI5_PROGRESS = (
    "https://w3id.org/xapi/cmi5/result/extensions/progress",
    "http://w3id.org/xapi/cmi5/result/extensions/progress",
)


@dataclass(frozen=True, slots=True)
class NoEffect:
    """The statement is valid and says nothing about anybody's progress; `reason` says why."""

    reason: str
    activity: str = ""


def observe(valid: Valid, received_at: int, *, lenient: bool = False) -> Observation | NoEffect:
    """`received_at` is in microseconds since the epoch.

    Raises `ReadingRefused`; where it is `lenient`, a reading that makes no sense is left out.
    """
    statement = valid.statement
    if statement.verb.id == VOIDED:
        return NoEffect("it voids another statement; progress that was delivered stays")
    if not isinstance(statement.object, Activity):
        return NoEffect("its object is not an activity")
    activity = statement.object.id
    actor = actor_of(statement.actor)
    if actor is None:
        return NoEffect("its actor is a group, not one learner", activity)
    remark = ""
    if _may_be_h5p(statement, statement.object):
        if h5p.is_inner(statement, statement.object):
            return NoEffect(h5p.REASON_INNER, activity)
        remark = h5p.remark(statement, statement.object)
    definition = statement.object.definition
    result, context = statement.result, statement.context
    registration = context.registration if context is not None else None
    tells = result if remark != h5p.REMARK_ANSWERED else None
    return Observation(
        statement_id=valid.statement_id,
        actor=actor,
        verb=statement.verb.id,
        activity=activity,
        registration=registration.lower() if registration is not None else None,
        occurred_at=_occurred_at(statement, received_at),
        progress=_reading(_progress, statement, lenient=lenient),
        completion=tells.completion if tells else None,
        success=tells.success if tells else None,
        score=result.score.scaled if result and result.score else None,
        activity_type=definition.type if definition is not None else None,
        coverage=_reading(video.coverage, statement, lenient=lenient)
        if _has_extensions(statement)
        else None,
        remark=remark,
    )


def _may_be_h5p(statement: Statement, activity: Activity) -> bool:
    """Whether there is anything of what H5P's statements are known by; most others have none."""
    return bool(
        (activity.definition is not None and activity.definition.extensions)
        or (statement.context is not None and statement.context.context_activities)
        or "subContentId=" in activity.id
    )


def _has_extensions(statement: Statement) -> bool:
    """Whether result or context has any: what was played of a recording is told there alone."""
    result, context = statement.result, statement.context
    return bool((result and result.extensions) or (context and context.extensions))


def _occurred_at(statement: Statement, received_at: int) -> int:
    if statement.timestamp is None:
        return received_at
    return min(received_at, _microseconds(statement.timestamp))


def _microseconds(timestamp: str) -> int:
    at = parse_timestamp(timestamp)
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return round(at.timestamp() * 1_000_000)


def check_readings(items: Sequence[Valid]) -> None:
    """Raises `StatementsRefused` naming the readings that make no sense."""
    problems = []
    for item in items:
        if not _has_extensions(item.statement):
            continue
        try:
            observe(item, 0)
        except ReadingRefused as error:
            problems.append(Problem(item.index, item.statement.id, error.field, error.rule))
    if problems:
        raise StatementsRefused(problems)


def clock_offset(valid: Valid, received_at: int) -> float:
    """Seconds that its timestamp is ahead of its arrival; negative where it is behind."""
    timestamp = valid.statement.timestamp
    return 0.0 if timestamp is None else (_microseconds(timestamp) - received_at) / 1e6


def _reading(
    read: Callable[[Statement], T | None], statement: Statement, *, lenient: bool
) -> T | None:
    try:
        return read(statement)
    except ReadingRefused:
        if not lenient:
            raise
        return None


def _progress(statement: Statement) -> float | None:
    extensions = (statement.result.extensions if statement.result else None) or {}
    for name in _CMI5_PROGRESS:
        if name in extensions:
            return number(f"result.extensions[{name}]", extensions[name], 100)
    if video.PROGRESS in extensions:
        return percentage(
            number(f"result.extensions[{video.PROGRESS}]", extensions[video.PROGRESS], 1)
        )
    return None
