"""SCORM Cloud's registration postbacks (API V2) as statements.

https://cloud.scorm.com/docs/advanced/postback/ and its RegistrationSchema. A postback is a whole
report of one registration, in one of three formats: COURSE is the registration alone, ACTIVITY adds
the tree of its activities, FULL adds what each of them stored at run time. Postbacks come again and
out of order; statements are dated, so that the newest wins.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import orjson

from pointsman.errors import InputRefused
from pointsman.statements.foreign.paths import PathTemplate, as_text
from pointsman.statements.foreign.report import COURSE, LESSON, Report, statement
from pointsman.statements.foreign.values import (
    is_address,
    is_uuid,
    later,
    number,
    shown,
    timestamp,
    uuid_of,
    within,
)

T = TypeVar("T")

#: names the attempts of registrations that were started anew
_NAMESPACE = uuid.UUID("6f0c8a54-7c0e-5b1b-8f0d-2d9f4a1e5b77")
_COMPLETION = {"completed": True, "incomplete": False, "not attempted": False, "unknown": None}
_SUCCESS = {"passed": True, "failed": False, "unknown": None}
_CHILDREN = ("activityDetails", "children")
#: HHHH:MM:SS.ss, as SCORM 1.2 writes a time
_TIME = re.compile(r"([0-9]{1,7}):([0-9]{2}):([0-9]{2}(?:\.[0-9]{1,6})?)")
#: a score above this is one of a hundred: SCORM Cloud's go from 0 to 100, run time's from -1 to 1
_FULL_SCORE = 1


@dataclass(frozen=True, slots=True)
class _Reading:
    """How far something is; None is not known."""

    completed: bool | None
    passed: bool | None
    #: a percentage
    progress: float | None
    #: -1..1
    score: float | None
    seconds: float | None

    @property
    def says_nothing(self) -> bool:
        known = self.passed, self.score
        return not self.completed and not self.progress and known == (None, None)


@dataclass(frozen=True, slots=True)
class ScormCloud:
    """What a source says of its postbacks.

    `course_activity` is a template with `{course}`, `sco_activity` one with `{course}` and `{sco}`.
    `learner` is what names the learner: the e-mail address where there is one, or always the id,
    which is an account of `home_page` unless it is an address.
    """

    course_activity: PathTemplate
    sco_activity: PathTemplate
    home_page: str
    learner: Literal["email", "id"] = "email"

    def statements(self, body: bytes) -> list[dict[str, Any]]:
        """One about the course, and one about each SCO of which something is known.

        `body` is the JSON of a postback. Raises `InputRefused` where it is none.
        """
        found = _parsed(body)
        course_id = as_text(_dig(found, "course", "id"))
        if course_id is None:
            raise InputRefused("course.id is missing, so nobody knows what this is about")
        names = {"course": course_id}
        course = Report(
            learner=self._learner(found),
            home_page=self.home_page,
            activity=self.course_activity.expand(names, names),
            activity_type=COURSE,
            title=as_text(_dig(found, "course", "title")),
            registration=_attempt(found),
            timestamp=later(
                _read(found, ("updated",), timestamp),
                # seen to be later than the last update
                _read(found, ("completedDate",), timestamp),
            ),
        )
        root = found.get("activityDetails")
        made = [statement(_with(course, _course(found, root)))]
        for child in _descendants(root):
            reading = _activity(child)
            if reading.says_nothing:  # a SCO that nobody has opened
                continue
            names = {"course": course_id, "sco": str(as_text(child.get("id")))}
            sco = replace(
                course,
                activity=self.sco_activity.expand(names, names),
                activity_type=LESSON,
                title=as_text(child.get("title")),
                parent=course.activity,
            )
            made.append(statement(_with(sco, reading)))
        return list({one["id"]: one for one in made}.values())

    def _learner(self, found: Mapping[str, Any]) -> str:
        email = as_text(_dig(found, "learner", "email"))
        if self.learner == "email" and email is not None and is_address(email):
            return email
        name = as_text(_dig(found, "learner", "id"))
        if name is None:
            raise InputRefused("learner.id is missing, so nobody knows who this is about")
        return name


def _parsed(body: bytes) -> dict[str, Any]:
    if body.lstrip().startswith(b"<"):
        raise InputRefused(
            "the postback is XML, as API V1 and resultsFormat legacy send it; set resultsFormat to "
            "course, activity or full"
        )
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputRefused(
            f"the postback is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    if not isinstance(found, dict):
        raise InputRefused("the postback must be an object, a registration")
    return found


def _with(report: Report, reading: _Reading) -> Report:
    return replace(
        report,
        completed=reading.completed,
        passed=reading.passed,
        progress=reading.progress,
        score=reading.score,
        seconds=reading.seconds,
    )


def _course(found: Mapping[str, Any], root: Any) -> _Reading:
    """What the registration says; a course of one SCO is as far as that SCO."""
    whole = _Reading(
        completed=_read(found, ("registrationCompletion",), _word(_COMPLETION)),
        passed=_read(found, ("registrationSuccess",), _word(_SUCCESS)),
        progress=_read(found, ("registrationCompletionAmount",), _percentage),
        score=_read(found, ("score", "scaled"), _score),
        seconds=_read(found, ("totalSecondsTracked",), _seconds),
    )
    only = _only_activity(root)
    if only is None:
        return whole
    # For most standards the registration's amount counts finished activities, so it stays 0.
    inner = _activity(only)
    return replace(
        whole,
        progress=_larger(whole.progress, inner.progress),
        score=inner.score if whole.score is None else whole.score,
    )


def _activity(found: Mapping[str, Any]) -> _Reading:
    """What an activity says, and what its SCO stored where it says nothing."""
    run = found.get("runtime")
    completed = _read(found, ("activityCompletion",), _word(_COMPLETION))
    passed = _read(found, ("activitySuccess",), _word(_SUCCESS))
    score = _read(found, ("score", "scaled"), _score)
    if run is not None:
        if completed is None:
            completed = _read(found, ("runtime", "completionStatus"), _hint(_COMPLETION))
        if passed is None:
            passed = _read(found, ("runtime", "runtimeSuccessStatus"), _hint(_SUCCESS))
        if score is None:
            score = _read(found, ("runtime", "scoreScaled"), _score)
    return _Reading(
        completed=completed,
        passed=passed,
        progress=_larger(
            _read(found, ("completionAmount", "scaled"), _percentage),
            _read(found, ("runtime", "progressMeasure"), _percentage),
        ),
        score=score,
        seconds=_read(found, ("timeTracked",), _seconds),
    )


def _children(activity: Any) -> list[dict[str, Any]]:
    children = None if activity is None else _dig({"activityDetails": activity}, *_CHILDREN)
    if children is None:
        return []
    if not isinstance(children, list):
        raise InputRefused(f"children of an activity must be a list, not {shown(children)}")
    for child in children:
        if not isinstance(child, dict) or as_text(child.get("id")) is None:
            raise InputRefused("children of an activity must be objects with an id each")
    return children


def _descendants(root: Any) -> Iterator[dict[str, Any]]:
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


def _attempt(found: Mapping[str, Any]) -> str | None:
    """The registration; each later instance of it is an attempt of its own."""
    name, instance = as_text(found.get("id")), as_text(found.get("instance")) or "0"
    given = as_text(found.get("xapiRegistrationId"))
    if given is not None and is_uuid(given) and instance == "0":
        return given.lower()
    return None if name is None else uuid_of(_NAMESPACE, name, instance)


def _dig(found: Mapping[str, Any], *names: str) -> Any:
    """What stands at these names, one in the other; null and missing are alike."""
    value: Any = found
    for depth, name in enumerate(names):
        if not isinstance(value, dict):
            raise InputRefused(f"{'.'.join(names[:depth])} must be an object, not {shown(value)}")
        value = value.get(name)
        if value is None:
            return None
    return value


def _read(
    found: Mapping[str, Any], names: tuple[str, ...], reading: Callable[[Any], T | None]
) -> T | None:
    try:
        return reading(_dig(found, *names))
    except ValueError as error:
        raise InputRefused(f"{'.'.join(names)} {error}") from None


def _word(words: Mapping[str, bool | None]) -> Callable[[Any], bool | None]:
    """A word of a list; another one is not understood."""

    def read(value: Any) -> bool | None:
        word = str(value or "unknown").lower()
        if word not in words:
            raise ValueError(f"must be {', '.join(words)}, not {shown(value)}")
        return words[word]

    return read


def _hint(words: Mapping[str, bool | None]) -> Callable[[Any], bool | None]:
    """A word of a list; another one says nothing: it is the SCO's own."""
    return lambda value: words.get(str(value).lower())


def _percentage(value: Any) -> float | None:
    fraction = within(value, 0, 1)
    return None if fraction is None else round(fraction * 100, 6)


def _score(value: Any) -> float | None:
    score = within(value, -1, 100)
    if score is None or score <= _FULL_SCORE:
        return score
    return round(score / 100, 6)


def _seconds(value: Any) -> float | None:
    """Seconds, or HHHH:MM:SS.ss. Nothing depends on it, so what is neither says nothing."""
    if isinstance(value, str) and (time := _TIME.fullmatch(value)) is not None:
        hours, minutes, seconds = time.groups()
        return int(hours) * 3_600 + int(minutes) * 60 + float(seconds)
    try:
        made = number(value)
    except ValueError:
        return None
    return made if made is not None and made >= 0 else None


def _larger(first: float | None, second: float | None) -> float | None:
    return max((one for one in (first, second) if one is not None), default=None)
