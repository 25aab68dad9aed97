"""Reads from a valid statement what it says about one learner and one activity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.domain.evidence import Coverage
from pointsman.domain.records import LeftOut, Observation, Reading
from pointsman.statements.activities import Activity
from pointsman.statements.actor_identity import actor_of
from pointsman.statements.extension_numbers import ReadingRefused, number, percentage
from pointsman.statements.left_out_readings import left_out_before
from pointsman.statements.parse import Valid
from pointsman.statements.profiles import h5p, video
from pointsman.statements.statement import VOIDED, Statement, microseconds
from pointsman.statements.validation import Problem, StatementsRefused

_PERCENT = 100
_MISSING = object()
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
    verb, thing = statement.verb.id, statement.object
    if verb == VOIDED:
        return NoEffect("it voids another statement; progress that was delivered stays")
    if not isinstance(thing, Activity):
        return NoEffect("its object is not an activity")
    activity, definition = thing.id, thing.definition
    actor = actor_of(statement.actor)
    if actor is None:
        return NoEffect("its actor is a group, not one learner", activity)
    remark = ""
    if _may_be_h5p(statement, thing):
        if h5p.is_inner(statement, thing):
            return NoEffect(h5p.REASON_INNER, activity)
        remark = h5p.remark(statement, thing)
    result, context = statement.result, statement.context
    registration = context.registration if context is not None else None
    tells = result if remark != h5p.REMARK_ANSWERED else None
    extensions = result.extensions if result is not None else None
    left_out: list[LeftOut] = []
    progress = coverage = None
    if extensions:
        left_out = left_out_before(extensions)
        progress = _progress(extensions, left_out)
    if extensions or (context is not None and context.extensions):
        # what was played of a recording is told there alone
        coverage = _coverage(statement, left_out)
    # by position, for it is done for every statement
    return Observation(
        valid.statement_id,
        actor,
        verb,
        activity,
        registration.lower() if registration is not None else None,
        received_at
        if statement.timestamp is None
        else min(received_at, microseconds(statement.timestamp)),
        progress,
        tells.completion if tells is not None else None,
        tells.success if tells is not None else None,
        result.score.scaled if result is not None and result.score is not None else None,
        definition.type if definition is not None else None,
        coverage,
        remark,
        tuple(left_out),
    )


def registrations_of(items: Iterable[Valid]) -> set[str]:
    """Those of some statements, in lower case."""
    return {
        context.registration.lower()
        for item in items
        if (context := item.statement.context) is not None and context.registration is not None
    }


def _may_be_h5p(statement: Statement, activity: Activity) -> bool:
    """Whether there is anything of what H5P's statements are known by; many others have none."""
    definition, context = activity.definition, statement.context
    if (
        (definition is None or not definition.extensions)
        and (context is None or context.context_activities is None)
        and "subContentId=" not in activity.id
    ):
        return False
    return h5p.may_be(statement, activity)


def _has_extensions(statement: Statement) -> bool:
    """Whether result or context has any: what was played of a recording is told there alone."""
    result, context = statement.result, statement.context
    return bool((result and result.extensions) or (context and context.extensions))


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
    return 0.0 if timestamp is None else (microseconds(timestamp) - received_at) / 1e6


def _progress(extensions: dict[str, Any], left_out: list[LeftOut]) -> float | None:
    """The first that makes sense; those before it are left out."""
    for name, most in _PROGRESS:
        value = extensions.get(name, _MISSING)
        if value is _MISSING:
            continue
        if type(value) is int and 0 <= value <= most == _PERCENT:  # as nearly always
            return float(value)
        try:
            progress = number(Reading.PROGRESS, f"result.extensions[{name}]", value, most)
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
