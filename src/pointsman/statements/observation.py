"""Reads from a valid statement what it says about one learner and one activity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from pointsman.domain.evidence import Coverage
from pointsman.domain.records import LeftOut, Observation, Reading
from pointsman.statements.activities import Activity
from pointsman.statements.actor_identity import actor_of
from pointsman.statements.extension_numbers import ReadingRefused, number, percentage
from pointsman.statements.left_out_readings import left_out_before
from pointsman.statements.parse import Valid
from pointsman.statements.profiles import h5p, video
from pointsman.statements.statement import VOIDED, Statement, parse_timestamp
from pointsman.statements.validation import Problem, StatementsRefused

_PERCENT = 100
#: extensions, and what is all of it: cmi5 section 9.5.5.1, the spelling of it that Rise and others
#: use, and the video profile
_PROGRESS = (
    ("https://w3id.org/xapi/cmi5/result/extensions/progress", _PERCENT),
    ("http://w3id.org/xapi/cmi5/result/extensions/progress", _PERCENT),
    (video.PROGRESS, 1),
)


#: what is said with these is how far somebody is
_PROGRESS_VERBS = frozenset({"progressed", "played", "paused", "seeked", "interacted"})


@dataclass(frozen=True, slots=True)
class NoEffect:
    """The statement is valid and says nothing about anybody's progress; `reason` says why."""

    reason: str
    activity: str = ""


def observe(valid: Valid, received_at: int) -> Observation | NoEffect:
    """`received_at` is in microseconds since the epoch.

    A reading that makes no sense is left out. What else the statement says holds without it: an
    extension may have any value (xAPI Part 2 section 4.1), and a completion needs no progress.
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
    extensions = result.extensions if result else None
    left_out = left_out_before(extensions) if extensions else []
    progress = _progress(extensions, left_out) if extensions else None
    return Observation(
        statement_id=valid.statement_id,
        actor=actor,
        verb=statement.verb.id,
        activity=activity,
        registration=registration.lower() if registration is not None else None,
        occurred_at=_occurred_at(statement, received_at),
        progress=progress,
        completion=tells.completion if tells else None,
        success=tells.success if tells else None,
        score=result.score.scaled if result and result.score else None,
        activity_type=definition.type if definition is not None else None,
        coverage=_coverage(statement, left_out) if _has_extensions(statement) else None,
        remark=remark,
        left_out=tuple(left_out),
    )


def registrations_of(items: Iterable[Valid]) -> set[str]:
    """Those of some statements, in lower case."""
    contexts = (item.statement.context for item in items)
    return {
        context.registration.lower()
        for context in contexts
        if context is not None and context.registration is not None
    }


def _may_be_h5p(statement: Statement, activity: Activity) -> bool:
    """Whether there is anything of what H5P's statements are known by; most others have none."""
    may_tell = (
        (activity.definition is not None and activity.definition.extensions)
        or (statement.context is not None and statement.context.context_activities)
        or "subContentId=" in activity.id
    )
    return bool(may_tell) and h5p.may_be(statement, activity)


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
    """Raises `StatementsRefused` naming the readings that make no sense, where that is all.

    A statement that says more than how far its learner is says the rest without it.
    """
    problems = [
        Problem(item.index, item.statement.id, left_out.field, left_out.rule)
        for item in items
        if _has_extensions(item.statement)
        for left_out in _left_out_of_all(item)
    ]
    if problems:
        raise StatementsRefused(problems)


def _left_out_of_all(item: Valid) -> tuple[LeftOut, ...]:
    """What is left out of a report of progress, after which nothing is left of it."""
    statement = item.statement
    if statement.verb.id.rpartition("/")[2] not in _PROGRESS_VERBS:
        return ()
    result = statement.result
    extensions = result.extensions if result is not None else None
    if extensions and _progress(extensions, []) is not None:
        return ()
    seen = observe(item, 0)
    if isinstance(seen, NoEffect):
        return ()
    says_more = seen.completion or seen.success is not None or seen.score is not None
    return () if says_more else seen.left_out


def clock_offset(valid: Valid, received_at: int) -> float:
    """Seconds that its timestamp is ahead of its arrival; negative where it is behind."""
    timestamp = valid.statement.timestamp
    return 0.0 if timestamp is None else (_microseconds(timestamp) - received_at) / 1e6


def _progress(extensions: dict[str, Any], left_out: list[LeftOut]) -> float | None:
    """The first that makes sense; those before it are left out."""
    for name, most in _PROGRESS:
        if name not in extensions:
            continue
        try:
            progress = number(
                Reading.PROGRESS, f"result.extensions[{name}]", extensions[name], most
            )
        except ReadingRefused as refused:
            left_out.append(refused.left_out)
        else:
            return progress if most == _PERCENT else percentage(progress)
    return None


def _coverage(statement: Statement, left_out: list[LeftOut]) -> Coverage | None:
    try:
        return video.coverage(statement)
    except ReadingRefused as refused:
        left_out.append(refused.left_out)
        return None
