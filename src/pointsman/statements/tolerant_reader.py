"""Reads a statement that breaks a rule as far as it can be read; for senders nobody can correct.

What is wrong is left out where nothing is decided by it, or where the rest holds without it: a
score, a duration, a name, a language, a property that xAPI does not know. So a completion is not
lost for the sake of `"scaled": null`. Who it is about, and what, what is said of it, and a claim
such as `result.success` are never left out: a statement with such a fault stays refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from pointsman.domain.records import LeftOut, Reading
from pointsman.statements.left_out_readings import with_note
from pointsman.statements.number_text import number_of
from pointsman.statements.statement import STATEMENT, Statement
from pointsman.statements.validation import UNKNOWN_PROPERTY, BrokenRule, broken_rules

#: how often a statement is looked at: a fault may hide another one
_ROUNDS = 8
_SCORE = ("result", "score")
_CLAIMS = frozenset({("result", "success"), ("result", "completion")})
_TIMESTAMP = ("timestamp",)
#: what identifies somebody, so that nothing is guessed where it is missing
_IDENTIFYING = frozenset({"mbox", "mbox_sha1sum", "openid", "account", "homePage", "member", "id"})
_NEEDED = frozenset({"actor", "verb", "object"})
#: what may be left out as a whole, and which reading that is
_PLACES: Mapping[tuple[str, ...], Reading] = {
    _TIMESTAMP: Reading.TIMESTAMP,
    ("stored",): Reading.DETAIL,
    ("authority",): Reading.DETAIL,
    ("version",): Reading.DETAIL,
    ("actor", "name"): Reading.DETAIL,
    _SCORE: Reading.SCORE,
    ("result", "duration"): Reading.DURATION,
    ("result", "response"): Reading.DETAIL,
    ("context", "registration"): Reading.ATTEMPT,
    ("context", "language"): Reading.DETAIL,
    ("context", "revision"): Reading.DETAIL,
    ("context", "platform"): Reading.DETAIL,
    ("context", "instructor"): Reading.DETAIL,
    ("context", "team"): Reading.DETAIL,
    ("context", "statement"): Reading.DETAIL,
    ("context", "contextAgents"): Reading.DETAIL,
    ("context", "contextGroups"): Reading.DETAIL,
    # a parent and a category say whether it is about the whole of something
    ("context", "contextActivities", "grouping"): Reading.DETAIL,
    ("context", "contextActivities", "other"): Reading.DETAIL,
}
#: of an activity's definition
_OF_DEFINITION = frozenset(
    {
        "type",
        "moreInfo",
        "interactionType",
        "correctResponsesPattern",
        "choices",
        "scale",
        "source",
        "target",
        "steps",
    }
)
#: of these only the entry that is wrong is left out
_MAPS = frozenset({"display", "name", "description", "extensions"})


@dataclass(frozen=True, slots=True)
class Tidied:
    """A statement as it is taken, which keeps every rule."""

    json: dict[str, Any]
    left_out: tuple[LeftOut, ...]


def tidied(
    json: Any, across_objects: Callable[[Statement], Iterable[tuple[str, str]]], *, dated: bool
) -> Tidied | None:
    """The statement without what is wrong in it; None where it can't be taken so.

    `across_objects` gives place and rule of what the models can't check. With `dated` its own
    timestamp is needed: it arrives long after it was made.
    """
    try:
        statement = orjson.loads(orjson.dumps(json))  # what came is somebody else's
    except orjson.JSONEncodeError:
        return None
    if not isinstance(statement, dict):
        return None
    left_out: list[LeftOut] = []
    for _ in range(_ROUNDS):
        broken = _broken_rules(statement, across_objects)
        if not broken:
            return Tidied(with_note(statement, left_out), tuple(left_out))
        before = len(left_out)
        corrected = False
        for rule in broken:
            if dated and rule.path == _TIMESTAMP:
                return None
            if _correct(statement, rule):
                corrected = True
            elif (reading := _leave_out(statement, rule)) is not None:
                left_out.append(LeftOut(reading, rule.words, rule.field))
        if len(left_out) == before and not corrected:
            return None
    return None


def _broken_rules(
    json: Any, across_objects: Callable[[Statement], Iterable[tuple[str, str]]]
) -> Sequence[BrokenRule]:
    try:
        statement = STATEMENT.validate_python(json)
    except ValidationError as error:
        return broken_rules(error)
    return [BrokenRule(tuple(place.split(".")), rule) for place, rule in across_objects(statement)]


def _correct(statement: dict[str, Any], broken: BrokenRule) -> bool:
    """A number or a yes that is written as text, put in as what it says."""
    holder = _holder(statement, broken.path)
    if not isinstance(holder, dict):
        return False
    name = str(broken.path[-1])
    value = holder.get(name)
    if broken.path in _CLAIMS:
        word = str(value).lower() if isinstance(value, str | int) else ""
        if word not in {"true", "false", "1", "0"}:
            return False
        holder[name] = word in {"true", "1"}
        return True
    if broken.path[:2] != _SCORE or not isinstance(value, str):
        return False
    try:
        holder[name] = number_of(value)
    except ValueError:
        return False
    return True


def _leave_out(statement: dict[str, Any], broken: BrokenRule) -> Reading | None:
    """Take what is wrong out; which reading that was, None where it has to stay."""
    path = broken.path
    found = _what_may_go(statement, broken)
    if found is None:
        return None
    length, reading = found
    holder = _holder(statement, path[:length])
    if path == _SCORE and isinstance(score := statement["result"][_SCORE[-1]], dict):
        # its parts contradict each other; the scaled one is judged by itself
        for name in ("raw", "min", "max"):
            score.pop(name, None)
        return reading
    if not isinstance(holder, dict) or path[length - 1] not in holder:
        return None  # it went with another one
    del holder[path[length - 1]]
    return reading


def _what_may_go(statement: dict[str, Any], broken: BrokenRule) -> tuple[int, Reading] | None:
    """How much of its path may go, and which reading that is."""
    path = broken.path
    if not path or path in _CLAIMS or path[:2] == ("object", "object"):
        return None
    if path[:2] == _SCORE and len(path) > len(_SCORE):
        return len(_SCORE) + 1, Reading.SCORE
    for place, reading in _PLACES.items():
        if path[: len(place)] == place:
            return len(place), reading
    for depth, step in enumerate(path):
        if step in _MAPS and _describes(path[:depth], str(step)):
            return min(depth + 2, len(path)), Reading.DETAIL
        if step in _OF_DEFINITION and path[:depth][-1:] == ("definition",):
            return depth + 1, Reading.DETAIL
    is_unknown = broken.rule == UNKNOWN_PROPERTY
    if isinstance(path[-1], str) and (is_unknown or _says_nothing(statement, path)):
        if len(path) > 1 and path[-1] in _IDENTIFYING:
            return None
        return None if path[-1] in _NEEDED else (len(path), Reading.DETAIL)
    return None


def _describes(above: tuple[str | int, ...], name: str) -> bool:
    """Whether a map of this name there describes something, or extends it."""
    last = next((step for step in reversed(above) if isinstance(step, str)), "")
    match name:
        case "display":
            return last == "verb"
        case "extensions":
            return last in {"definition", "result", "context"}
        case _:
            return last == "definition"


def _says_nothing(statement: dict[str, Any], path: tuple[str | int, ...]) -> bool:
    """Null, and what PHP writes for an object without properties."""
    holder = _holder(statement, path)
    value = holder.get(path[-1], 0) if isinstance(holder, dict) else 0
    return value is None or value in ("", [], {})


def _holder(statement: dict[str, Any], path: Sequence[str | int]) -> Any:
    """What the last step of a path is in; None where the path leads nowhere."""
    value: Any = statement
    for step in path[:-1]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
