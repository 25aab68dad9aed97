"""Reads the results of a SCORM Cloud registration and of its activities; null says nothing.

https://cloud.scorm.com/docs/api_reference/v2/models/registrationschema/ and the schemas in it. What
stands in `runtime` was stored by the SCO itself, as texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pointsman.domain.errors import InputRefused
from pointsman.domain.records import LeftOut, Reading
from pointsman.statements.adapters.json_paths import as_text
from pointsman.statements.adapters.json_values import in_message, number, number_within
from pointsman.statements.extension_numbers import percentage
from pointsman.statements.left_out_readings import take

T = TypeVar("T")

_COMPLETION = {"completed": True, "incomplete": False, "not attempted": False, "unknown": None}
_SUCCESS = {"passed": True, "failed": False, "unknown": None}
_CHILDREN = ("activityDetails", "children")
#: HHHH:MM:SS.ss, as SCORM 1.2 writes a time
_TIME = re.compile(r"([0-9]{1,7}):([0-9]{2}):([0-9]{2}(?:\.[0-9]{1,6})?)")


@dataclass(frozen=True, slots=True)
class RegistrationResult:
    """How far something is; None is not known."""

    completed: bool | None
    passed: bool | None
    #: a percentage
    progress: float | None
    #: -1..1
    score: float | None
    seconds: float | None
    #: what made no sense
    left_out: tuple[LeftOut, ...] = ()

    @property
    def says_nothing(self) -> bool:
        known = self.passed, self.score
        return not self.completed and not self.progress and known == (None, None)


def course_result(registration: Mapping[str, Any], root: Any) -> RegistrationResult:
    """What the registration says; a course of one SCO is as far as that SCO."""
    read = Reader(registration)
    whole = RegistrationResult(
        completed=read(Reading.COMPLETION, ("registrationCompletion",), _word(_COMPLETION)),
        passed=read(Reading.SUCCESS, ("registrationSuccess",), _word(_SUCCESS)),
        progress=read(Reading.PROGRESS, ("registrationCompletionAmount",), _percentage),
        score=read(Reading.SCORE, ("score", "scaled"), _score),
        seconds=read(Reading.DURATION, ("totalSecondsTracked",), _seconds),
    )
    whole = replace(whole, left_out=read.left_out)
    only = _only_activity(root)
    if only is None:
        return whole
    # For most standards the registration's amount counts finished activities, so it stays 0.
    inner = activity_result(only)
    return replace(
        whole,
        progress=_larger_known(whole.progress, inner.progress),
        score=_first_known(whole.score, inner.score),
        left_out=whole.left_out + inner.left_out,
    )


def activity_result(activity: Mapping[str, Any]) -> RegistrationResult:
    """What an activity says, and what its SCO stored where it says nothing."""
    read = Reader(activity)
    result = RegistrationResult(
        completed=_first_known(
            read(Reading.COMPLETION, ("activityCompletion",), _word(_COMPLETION)),
            read(Reading.COMPLETION, ("runtime", "completionStatus"), _optional_word(_COMPLETION)),
        ),
        passed=_first_known(
            read(Reading.SUCCESS, ("activitySuccess",), _word(_SUCCESS)),
            read(Reading.SUCCESS, ("runtime", "runtimeSuccessStatus"), _optional_word(_SUCCESS)),
        ),
        progress=_larger_known(
            read(Reading.PROGRESS, ("completionAmount", "scaled"), _percentage),
            read(Reading.PROGRESS, ("runtime", "progressMeasure"), _percentage),
        ),
        score=_first_known(
            read(Reading.SCORE, ("score", "scaled"), _score),
            read(Reading.SCORE, ("runtime", "scoreScaled"), _run_time_score),
        ),
        seconds=read(Reading.DURATION, ("timeTracked",), _seconds),
    )
    return replace(result, left_out=read.left_out)


def _children(activity: Any) -> list[dict[str, Any]]:
    children = None if activity is None else value_at({"activityDetails": activity}, *_CHILDREN)
    if children is None:
        return []
    if not isinstance(children, list):
        raise InputRefused(f"children of an activity must be a list, not {in_message(children)}")
    for child in children:
        if not isinstance(child, dict) or as_text(child.get("id")) is None:
            raise InputRefused("children of an activity must be objects with an id each")
    return children


def descendants(root: Any) -> Iterator[dict[str, Any]]:
    """All activities below this one, in order; each has an id."""
    waiting = _children(root)[::-1]
    while waiting:
        activity = waiting.pop()
        yield activity
        waiting += _children(activity)[::-1]


def _only_activity(root: Any) -> dict[str, Any] | None:
    """The one SCO of a course that has no more."""
    while len(children := _children(root)) == 1:
        (root,) = children
    return root if isinstance(root, dict) and not children else None


def value_at(holder: Mapping[str, Any], *names: str) -> Any:
    """What stands at these names, one in the other. Raises `InputRefused` on the way."""
    value: Any = holder
    for depth, name in enumerate(names):
        if not isinstance(value, dict):
            raise InputRefused(
                f"{'.'.join(names[:depth])} must be an object, not {in_message(value)}"
            )
        value = value.get(name)
        if value is None:
            return None
    return value


class Reader:
    """Reads what an object says, and notes what of it makes no sense."""

    def __init__(self, holder: Mapping[str, Any]) -> None:
        self._holder = holder
        self._left_out: list[LeftOut] = []

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        return tuple(self._left_out)

    def __call__(
        self, reading: Reading, names: tuple[str, ...], convert: Callable[[Any], T | None]
    ) -> T | None:
        """What `convert` makes of what stands at these names."""
        try:
            value = value_at(self._holder, *names)
        except InputRefused as error:
            self._left_out.append(LeftOut(reading, str(error)))
            return None
        return take(self._left_out, reading, ".".join(names), lambda: convert(value))


def _word(words: Mapping[str, bool | None]) -> Callable[[Any], bool | None]:
    """A word of a list; another one is not understood."""

    def convert(value: Any) -> bool | None:
        word = str(value or "unknown").lower()
        if word not in words:
            raise ValueError(f"must be {', '.join(words)}, not {in_message(value)}")
        return words[word]

    return convert


def _optional_word(words: Mapping[str, bool | None]) -> Callable[[Any], bool | None]:
    """A word of a list; another one says nothing: it is the SCO's own."""
    return lambda value: words.get(str(value).lower())


def _percentage(value: Any) -> float | None:
    fraction = number_within(value, 0, 1)
    return None if fraction is None else percentage(fraction)


def _score(value: Any) -> float | None:
    """Of 100, as ScoreSchema has it: "Scaled score between 0 and 100"; so 1 is one of a hundred."""
    score = number_within(value, 0, 100)
    return None if score is None else round(score / 100, 12)


def _run_time_score(value: Any) -> float | None:
    """The SCO's own `cmi.score.scaled` (SCORM 2004 4th RTE section 4.2.20)."""
    return number_within(value, -1, 1)


def _seconds(value: Any) -> float | None:
    """Seconds, or HHHH:MM:SS.ss. Nothing depends on it, so what is neither says nothing."""
    if isinstance(value, str) and (time := _TIME.fullmatch(value)) is not None:
        hours, minutes, seconds = time.groups()
        return int(hours) * 3_600 + int(minutes) * 60 + float(seconds)
    try:
        parsed = number(value)
    except ValueError:
        return None
    return parsed if parsed is not None and parsed >= 0 else None


def _larger_known(first: float | None, second: float | None) -> float | None:
    return max((value for value in (first, second) if value is not None), default=None)


def _first_known(first: T | None, second: T | None) -> T | None:
    return second if first is None else first
