"""How targets, values and times are called in a story. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pointsman.domain.targets import Recipient, Target, TargetKind, Value

_NAMES = {
    TargetKind.TOPIC_PROGRESS: "topic",
    TargetKind.COURSE_STATUS: "course",
    TargetKind.LEARNING_PATH_ACCESS: "learning path",
    TargetKind.MEETING_ATTENDANCE: "attendance of meeting",
    TargetKind.COURSE_ARCHIVED: "archiving of course",
    TargetKind.LEARNING_PATH_ARCHIVED: "archiving of learning path",
}
#: what stands between a parked state and its reason
PARKED = " is parked: "
#: how a reason ends that says what to do, and what is a command of its own in a story
_NEXT, _RETRY = re.compile(r"(.*?) \(next: (.*)\)", re.DOTALL), "; then pointsman parked retry"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def target_words(target: Target, recipient: Recipient | None = None) -> str:
    """For a person; attendance is named by its meeting."""
    if target.kind is TargetKind.MEETING_ATTENDANCE and recipient is not None:
        return f"{_NAMES[target.kind]} {recipient.id}"
    return f"{_NAMES[target.kind]} {target.key}"


def value_words(value: Value | None) -> str:
    """A percentage with its sign, a word as it is."""
    if value is None:
        return "nothing"
    return f"{value} %" if isinstance(value, int) else value


def time_words(micros: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def split_next(reason: str) -> tuple[str, str]:
    """A reason, and the step that it names; empty where it names none."""
    split = _NEXT.fullmatch(reason)
    return (reason, "") if split is None else (split[1], split[2].partition(_RETRY)[0])


def span_words(seconds: float) -> str:
    """About how long that is."""
    if seconds < 2 * _MINUTE:
        return f"{max(0, round(seconds))} s"
    if seconds < 2 * _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    if seconds < 2 * _DAY:
        return f"{round(seconds / _HOUR)} h"
    return f"{round(seconds / _DAY)} days"


def due_words(at: int, now: int) -> str:
    """When that is, and how far away."""
    return f"at {time_words(at)} (in {span_words((at - now) / 1e6)})"


def shell_word(text: str) -> str:
    """As one word of a shell's command line."""
    safe = all(sign.isalnum() or sign in "@%+=:,./_-" for sign in text) and bool(text)
    return text if safe else "'" + text.replace("'", "'\"'\"'") + "'"
