"""Statements that conflict with cmi5, each made of a good one. A table for both ways to treat them.

What conflicts is what the LMS test suite of CATAPULT sends to see it rejected; the names are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pointsman.sources.players.cmi5 import vocabulary

Statement = dict[str, Any]
MASTERY = 0.9


@dataclass(frozen=True, slots=True)
class Conflict:
    """`kind` is the broken rule; `result` what the good statement says before it is changed."""

    name: str
    kind: str
    verb: str
    change: Callable[[Statement], object]
    #: what is put in, so that nothing needs to be voided
    is_mended: bool = False


def _result(**values: Any) -> Callable[[Statement], object]:
    """Set what is given, and take away what is None."""

    def change(statement: Statement) -> None:
        result = {**statement.get("result", {}), **values}
        statement["result"] = {name: value for name, value in result.items() if value is not None}

    return change


def _score(**score: Any) -> Callable[[Statement], object]:
    return _result(score=score)


def _without(*path: str) -> Callable[[Statement], object]:
    def change(statement: Statement) -> None:
        part = statement
        for name in path[:-1]:
            part = part[name]
        del part[path[-1]]

    return change


def _timestamp(text: str) -> Callable[[Statement], object]:
    return lambda statement: statement.update(timestamp=text)


def _category(*ids: str) -> Callable[[Statement], object]:
    return lambda statement: statement["context"]["contextActivities"].update(
        category=[{"id": activity} for activity in ids]
    )


def _mastery(value: Any) -> Callable[[Statement], object]:
    return lambda statement: statement["context"]["extensions"].update(
        {vocabulary.MASTERY_SCORE: value}
    )


def _object(activity: str) -> Callable[[Statement], object]:
    return lambda statement: statement.update(object={"id": activity})


ANY = [
    Conflict("no id", "no_id", "experienced", _without("id"), is_mended=True),
    Conflict("no timestamp", "no_timestamp", "experienced", _without("timestamp"), is_mended=True),
    Conflict("not UTC", "not_utc", "experienced", _timestamp("2026-01-01T10:00:00-06:00")),
    Conflict(
        "no registration",
        "no_registration",
        "passed",
        _without("context", "registration"),
        is_mended=True,
    ),
    Conflict(
        "no session",
        "no_session_id",
        "experienced",
        _without("context", "extensions"),
        is_mended=True,
    ),
    Conflict(
        "moveon of an allowed one",
        "move_on_category",
        "experienced",
        _category(vocabulary.MOVE_ON_CATEGORY),
    ),
]
DEFINED = [
    Conflict(
        "another verb",
        "not_a_cmi5_verb",
        "experienced",
        _category(vocabulary.CMI5_CATEGORY),
    ),
    Conflict("another object", "not_the_activity", "passed", _object("{activity}/page")),
    Conflict("passed with completion", "completion", "passed", _result(completion=True)),
    Conflict("completed with success", "success", "completed", _result(success=True)),
    Conflict("completed without completion", "completion", "completed", _result(completion=None)),
    Conflict("completed with false", "completion", "completed", _result(completion=False)),
    Conflict("completed with a score", "score", "completed", _score(scaled=0.5)),
    Conflict("terminated without result", "no_duration", "terminated", _without("result")),
    *(
        Conflict(f"{verb} without duration", "no_duration", verb, _result(duration=None))
        for verb in ("terminated", "completed", "passed", "failed")
    ),
    Conflict("passed without success", "success", "passed", _result(success=None)),
    Conflict("passed with false", "success", "passed", _result(success=False)),
    Conflict("failed without success", "success", "failed", _result(success=None)),
    Conflict("failed with true", "success", "failed", _result(success=True)),
    Conflict("passed below mastery", "below_mastery", "passed", _score(scaled=0.89)),
    Conflict("failed at mastery", "failed_above_mastery", "failed", _score(scaled=0.9)),
    Conflict("failed above mastery", "failed_above_mastery", "failed", _score(scaled=0.91)),
    Conflict("raw without min", "score", "passed", _score(scaled=0.9, raw=90, max=100)),
    Conflict("raw without max", "score", "passed", _score(scaled=0.9, raw=90, min=0)),
    Conflict("raw in halves", "score", "passed", _score(scaled=0.9, raw=90.5, min=0, max=100)),
    Conflict("scaled below 0", "score", "failed", _score(scaled=-0.1)),
    *(
        Conflict(
            f"{verb} without moveon", "move_on_category", verb, _category(vocabulary.CMI5_CATEGORY)
        )
        for verb in ("completed", "passed", "failed")
    ),
    Conflict(
        "terminated with moveon",
        "move_on_category",
        "terminated",
        _category(vocabulary.CMI5_CATEGORY, vocabulary.MOVE_ON_CATEGORY),
    ),
    Conflict(
        "no masteryScore",
        "mastery_score",
        "passed",
        lambda statement: (
            _score(scaled=0.95)(statement),
            statement["context"]["extensions"].pop(vocabulary.MASTERY_SCORE, None),
        ),
    ),
    Conflict("another masteryScore", "mastery_score", "passed", _mastery(0.8)),
    Conflict(
        "no publisher id",
        "no_publisher_id",
        "passed",
        _without("context", "contextActivities", "grouping"),
    ),
]
CONFLICTS = [*ANY, *DEFINED]


def conflicting(conflict: Conflict, good: Statement) -> Statement:
    """`good` with what the conflict changes, about its own activity."""
    activity = good["object"]["id"]
    conflict.change(good)
    good["object"]["id"] = good["object"]["id"].replace("{activity}", activity)
    return good
