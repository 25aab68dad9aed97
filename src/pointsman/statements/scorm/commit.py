"""Reads a commit's run-time data in the words of SCORM 1.2 or of SCORM 2004. Pure.

SCORM 1.2 RTE section 3.4, SCORM 2004 4th Edition RTE section 4.2. What is empty says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pointsman.domain.errors import InputRefused
from pointsman.statements.extension_numbers import percentage
from pointsman.statements.scorm.commit_body import parse_commit_body
from pointsman.statements.scorm.durations import duration_seconds

Version = Literal["1.2", "2004"]
#: names of the same thing: an integrator chooses them
FINAL = ("isFinal", "final")

#: lesson_status of SCORM 1.2: whether it is complete, and whether it is passed
_LESSON_STATUS: dict[str, tuple[bool | None, bool | None]] = {
    "passed": (True, True),
    "completed": (True, None),
    "failed": (False, False),
    "incomplete": (False, None),
    "browsed": (None, None),
    "not attempted": (None, None),
    "unknown": (None, None),
    "": (None, None),
}
_COMPLETION = {"completed": True, "incomplete": False, "not attempted": None, "unknown": None}
_SUCCESS = {"passed": True, "failed": False, "unknown": None}
_ONLY_12 = frozenset({"core", "student_data", "student_preference", "comments"})
_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?")
_MAX_SEQUENCE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CommitScore:
    """`scaled` is -1..1; the others are in the course's own points."""

    scaled: float | None = None
    raw: float | None = None
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; None is what it does not say."""

    version: Version
    #: the run-time data as a tree, as `loadFromJSON` takes it; empty where only its sum came
    cmi: dict[str, Any] = field(default_factory=dict)
    completion: bool | None = None
    success: bool | None = None
    #: a percentage; SCORM 1.2 has none
    progress: float | None = None
    score: CommitScore | None = None
    #: seconds of this session, and of all
    session_time: float | None = None
    total_time: float | None = None
    #: how the course was left: suspend, normal, logout, time-out
    exit: str = ""
    #: counts from 1 in each run of the player
    sequence: int | None = None
    final: bool = False


def parse_commit(body: bytes, *, final: bool = False) -> Commit:
    """What a body says; `final` where its address says that it is the last.

    Raises `InputRefused`, naming what can't be understood.
    """
    parsed = parse_commit_body(body)
    version: Version = "1.2" if _ONLY_12 & parsed.cmi.keys() else "2004"
    status = _scorm_12_status(parsed.cmi) if version == "1.2" else _scorm_2004_status(parsed.cmi)
    completion, success, progress, score, times = status
    beside = parsed.beside
    if completion is None:
        completion = _word(beside, "completionStatus", _COMPLETION)
    if success is None:
        success = _word(beside, "successStatus", _SUCCESS)
    exit_holder = _child(parsed.cmi, "core") if version == "1.2" else parsed.cmi
    session, total = (
        duration_seconds(_text(times, name)) for name in ("session_time", "total_time")
    )
    return Commit(
        version,
        parsed.cmi,
        completion,
        success,
        progress,
        score or _score_beside(beside),
        session,
        total or _total_time_beside(beside),
        _text(exit_holder, "exit"),
        _sequence(beside),
        final or any(beside.get(name) in (True, "true") for name in FINAL),
    )


_Status = tuple[bool | None, bool | None, float | None, CommitScore | None, Mapping[str, Any]]


def _scorm_12_status(cmi: Mapping[str, Any]) -> _Status:
    core = _child(cmi, "core")
    status = _text(core, "lesson_status")
    if status not in _LESSON_STATUS:
        raise _unknown_word("cmi.core.lesson_status", status, _LESSON_STATUS)
    completion, success = _LESSON_STATUS[status]
    return completion, success, None, _score(_child(core, "score"), default=(0, 100)), core


def _scorm_2004_status(cmi: Mapping[str, Any]) -> _Status:
    return (
        _word(cmi, "completion_status", _COMPLETION, "cmi."),
        _word(cmi, "success_status", _SUCCESS, "cmi."),
        _progress(_text(cmi, "progress_measure")),
        _score(_child(cmi, "score")),
        cmi,
    )


def _progress(text: str) -> float | None:
    if not text:
        return None
    measure = _number(text)
    if measure is None or not 0 <= measure <= 1:
        raise InputRefused("cmi.progress_measure must be a number from 0 to 1")
    return percentage(measure)


def _score(
    score: Mapping[str, Any], default: tuple[float | None, float | None] = (None, None)
) -> CommitScore | None:
    """None where nothing was scored: a maximum alone stands there from the beginning."""
    scaled, raw = (_number(_text(score, name)) for name in ("scaled", "raw"))
    least, most = (_number(_text(score, name)) for name in ("min", "max"))
    if scaled is None and raw is not None:
        scaled = _scaled(
            raw,
            default[0] if least is None else least,
            default[1] if most is None else most,
        )
    if scaled is not None and not -1 <= scaled <= 1:
        scaled = None
    if scaled is None and raw is None:
        return None
    return CommitScore(scaled, raw, least, most)


def _scaled(raw: float, least: float | None, most: float | None) -> float | None:
    if least is None or most is None or not least < most:
        return None
    return round((raw - least) / (most - least), 6)


def _score_beside(beside: Mapping[str, Any]) -> CommitScore | None:
    return _score(_child(beside, "score"))


def _total_time_beside(beside: Mapping[str, Any]) -> float | None:
    total = _number(_text(beside, "totalTimeSeconds"))
    # 0 is what every commit but the last says
    return total if total is not None and total > 0 else None


def _sequence(beside: Mapping[str, Any]) -> int | None:
    sequence = beside.get("commitSequence")
    if sequence is None:
        return None
    if (
        isinstance(sequence, bool)
        or not isinstance(sequence, int)
        or not 0 <= sequence < _MAX_SEQUENCE
    ):
        raise InputRefused("commitSequence must be a whole number")
    return sequence


def _word(
    holder: Mapping[str, Any], name: str, words: Mapping[str, bool | None], under: str = ""
) -> bool | None:
    word = _text(holder, name)
    if word and word not in words:
        raise _unknown_word(under + name, word, words)
    return words.get(word)


def _unknown_word(name: str, word: str, words: Mapping[str, Any]) -> InputRefused:
    known = ", ".join(known_word for known_word in words if known_word)
    return InputRefused(f"{name} is {word[:40]!a}, which is none of {known}")


def _child(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = holder.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _text(holder: Mapping[str, Any], name: str) -> str:
    """A value as SCORM has them, which are all text."""
    value = holder.get(name)
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None
