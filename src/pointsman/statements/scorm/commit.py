"""Reads a commit's run-time data in the words of SCORM 1.2 or of SCORM 2004. Pure.

SCORM 1.2 RTE section 3.4, SCORM 2004 4th Edition RTE section 4.2. What is empty says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pointsman.domain.records import LeftOut, Reading
from pointsman.statements.extension_numbers import all_of_it, percentage
from pointsman.statements.scorm.commit_body import parse_commit_body
from pointsman.statements.scorm.durations import duration_seconds, is_duration

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
#: modes in which nothing is recorded (SCORM 1.2 RTE section 3.4.4, SCORM 2004 RTE section 4.2.14)
_RECORDS_NOTHING = frozenset({"browse", "review"})
#: what JavaScript makes of a number: 100 / 3 has 15 digits behind its point, and 1e-7 an exponent
_NUMBER = re.compile(r"-?(?:[0-9]{1,10}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE]-[0-9]{1,3})?")
#: what a sum of fractions is wrong by: 0.7 + 0.1 is 0.7999999999999999 in JavaScript
_TINY = 1e-12
_MAX_SEQUENCE = 1_000_000_000
_SCORE = ("scaled", "raw", "min", "max")


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
    #: scaled, 0..1: what the player page was told, for a course can't write it
    mastery_score: float | None = None
    #: seconds of this session, and of all
    session_time: float | None = None
    total_time: float | None = None
    #: how the course was left: suspend, normal, logout, time-out
    exit: str = ""
    #: counts from 1 in each run of the player
    sequence: int | None = None
    final: bool = False
    #: what made no sense
    left_out: tuple[LeftOut, ...] = ()


def parse_commit(body: bytes, *, final: bool = False) -> Commit:
    """What a body says; `final` where its address says that it is the last.

    Raises `InputRefused` where it is no commit. What SCORM has no word for is left out.
    """
    parsed = parse_commit_body(body)
    return _CommitReader(parsed.cmi, parsed.beside).commit(final=final)


class _CommitReader:
    """Reads one commit, and notes what of it makes no sense."""

    def __init__(self, cmi: dict[str, Any], beside: Mapping[str, Any]) -> None:
        self._cmi = cmi
        self._beside = beside
        self._left_out: list[LeftOut] = []

    def commit(self, *, final: bool) -> Commit:
        version: Version = "1.2" if _ONLY_12 & self._cmi.keys() else "2004"
        holder = _child(self._cmi, "core") if version == "1.2" else self._cmi
        completion, success, progress = (
            self._status_12(holder) if version == "1.2" else self._status_2004()
        )
        if completion is None:
            completion = self._word(Reading.COMPLETION, "", "completionStatus", _COMPLETION)
        if success is None:
            success = self._word(Reading.SUCCESS, "", "successStatus", _SUCCESS)
        # without any other, raw scores of SCORM 1.2 are of 100 (RTE section 3.4.4)
        ends = (0.0, 100.0) if version == "1.2" else (None, None)
        score = self._score(holder, ends) or self._score(self._beside)
        if mode := self._mode_without_record(version):
            completion, success, progress, score = self._nothing_of(
                mode, completion, success, progress, score
            )
        session, total = (self._duration(holder, name) for name in ("session_time", "total_time"))
        return Commit(
            version,
            self._cmi,
            completion,
            success,
            progress,
            score,
            self._mastery_score(version),
            session,
            total or _total_time_beside(self._beside),
            _text(holder, "exit"),
            self._sequence(),
            final or any(self._beside.get(name) in (True, "true") for name in FINAL),
            tuple(self._left_out),
        )

    def _status_12(self, core: Mapping[str, Any]) -> tuple[bool | None, bool | None, None]:
        status = _word_of(core, "lesson_status")
        if status not in _LESSON_STATUS:
            said = _text(core, "lesson_status")
            self._leave_out(
                Reading.COMPLETION, _unknown_word("cmi.core.lesson_status", said, _LESSON_STATUS)
            )
        return *_LESSON_STATUS.get(status, (None, None)), None

    def _status_2004(self) -> tuple[bool | None, bool | None, float | None]:
        completion = self._word(Reading.COMPLETION, "cmi.", "completion_status", _COMPLETION)
        success = self._word(Reading.SUCCESS, "cmi.", "success_status", _SUCCESS)
        measure = self._progress_measure()
        threshold = _number(_text(self._cmi, "completion_threshold"))
        if measure is not None and threshold is not None and 0 <= threshold <= 1:
            # the LMS decides, whatever the course says (SCORM 2004 4th RTE section 4.2.4)
            completion = measure >= threshold - _TINY
        return completion, success, None if measure is None else percentage(measure)

    def _mode_without_record(self, version: Version) -> str:
        """The mode of a player page that previews or reviews; "" where it counts."""
        if version == "1.2":
            mode = _word_of(_child(self._cmi, "core"), "lesson_mode")
        else:
            mode = _word_of(self._cmi, "mode")
        return mode if mode in _RECORDS_NOTHING else ""

    def _nothing_of(self, mode: str, *said: object) -> tuple[None, None, None, None]:
        if any(value is not None for value in said):
            self._leave_out(
                Reading.COMPLETION, f"the page's mode is {mode}, in which nothing is recorded"
            )
        return None, None, None, None

    def _word(
        self, reading: Reading, under: str, name: str, words: Mapping[str, bool | None]
    ) -> bool | None:
        holder = self._cmi if under else self._beside
        word = _word_of(holder, name)
        if word and word not in words:
            self._leave_out(reading, _unknown_word(under + name, _text(holder, name), words))
        return words.get(word)

    def _progress_measure(self) -> float | None:
        text = _text(self._cmi, "progress_measure")
        measure = _number(text)
        if measure is not None and 0 <= (measure := all_of_it(measure, 1)) <= 1:
            return measure
        if text:
            self._leave_out(Reading.PROGRESS, "cmi.progress_measure must be a number from 0 to 1")
        return None

    def _score(
        self, holder: Mapping[str, Any], ends: tuple[float | None, float | None] = (None, None)
    ) -> CommitScore | None:
        """None where nothing was scored: a maximum alone stands there from the beginning."""
        values = {name: _text(_child(holder, "score"), name) for name in _SCORE}
        numbers = {name: _number(text) for name, text in values.items()}
        for name, text in values.items():
            if text and numbers[name] is None:
                self._leave_out(Reading.SCORE, f"score.{name} must be a number, not {text[:40]!a}")
        scaled, raw, least, most = (numbers[name] for name in _SCORE)
        scaled = None if scaled is None else all_of_it(scaled, 1)
        if scaled is None and raw is not None:
            scaled = _scaled(
                raw, ends[0] if least is None else least, ends[1] if most is None else most
            )
        if scaled is not None and not -1 <= scaled <= 1:
            self._leave_out(Reading.SCORE, f"score.scaled must be from -1 to 1, not {scaled:g}")
            scaled = None
        if scaled is None and raw is None:
            return None
        return CommitScore(scaled, raw, least, most)

    def _mastery_score(self, version: Version) -> float | None:
        """SCORM 1.2 RTE section 3.4.4 (mastery_score, of 100); 2004 RTE section 4.2.20."""
        if version == "1.2":
            text, most = _text(_child(self._cmi, "student_data"), "mastery_score"), 100
        else:
            text, most = _text(self._cmi, "scaled_passing_score"), 1
        score = _number(text)
        return score / most if score is not None and 0 <= score <= most else None

    def _duration(self, holder: Mapping[str, Any], name: str) -> float | None:
        text = _text(holder, name)
        if text and not is_duration(text):
            self._leave_out(Reading.DURATION, f"{name} must be a time, not {text[:40]!a}")
        return duration_seconds(text)

    def _sequence(self) -> int | None:
        sequence = self._beside.get("commitSequence")
        if sequence is None:
            return None
        is_whole = isinstance(sequence, int) and not isinstance(sequence, bool)
        if is_whole and 0 <= sequence < _MAX_SEQUENCE:
            return int(sequence)
        self._leave_out(Reading.ATTEMPT, "commitSequence must be a whole number")
        return None

    def _leave_out(self, reading: Reading, reason: str) -> None:
        self._left_out.append(LeftOut(reading, reason))


def _scaled(raw: float, least: float | None, most: float | None) -> float | None:
    if least is None or most is None or not least < most:
        return None
    # as exact as a float is: 79.9999999 of 100 is below a mastery score of 80
    return round((raw - least) / (most - least), 12)


def _total_time_beside(beside: Mapping[str, Any]) -> float | None:
    total = _number(_text(beside, "totalTimeSeconds"))
    # 0 is what every commit but the last says
    return total if total is not None and total > 0 else None


def _unknown_word(name: str, word: str, words: Mapping[str, Any]) -> str:
    known = ", ".join(known_word for known_word in words if known_word)
    return f"{name} is {word[:40]!a}, which is none of {known}"


def _child(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = holder.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _text(holder: Mapping[str, Any], name: str) -> str:
    """A value as SCORM has them, which are all text."""
    value = holder.get(name)
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)


def _word_of(holder: Mapping[str, Any], name: str) -> str:
    """A word of SCORM's, in whatever case and with whatever space around it."""
    return _text(holder, name).strip().lower()


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text.strip()) else None
