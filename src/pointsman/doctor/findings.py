"""What `pointsman doctor` reports: a finding for each check, or why it could not be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    #: it works, and may not for long, or not as it is meant
    WARN = "warn"
    #: something does not work
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line; `cure` is the command or setting that mends it, "" where all is well."""

    check: str
    level: Level
    words: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A check that could not be made, and why."""

    check: str
    why: str


Result: TypeAlias = Finding | NotChecked


def ok(check: str, words: str) -> Finding:
    return Finding(check, Level.OK, words)


def warn(check: str, words: str, cure: str) -> Finding:
    return Finding(check, Level.WARN, words, cure)


def fail(check: str, words: str, cure: str) -> Finding:
    return Finding(check, Level.FAIL, words, cure)


def of_error(check: str, error: Exception, cure: str) -> Finding:
    """A failure in the words of an error; `cure` is for one that says none after a semicolon."""
    words, separator, own = str(error).rpartition("; ")
    if not separator:
        return fail(check, str(error), cure)
    return fail(check, words, own.removeprefix("next: "))


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. `points` and `requests` were spent of the platform's quota."""

    findings: Sequence[Finding]
    not_checked: Sequence[NotChecked]
    points: int = 0
    requests: int = 0

    def count(self, level: Level) -> int:
        return sum(finding.level is level for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": not self.count(Level.FAIL),
            "findings": [
                {
                    "check": finding.check,
                    "level": finding.level.value,
                    "words": finding.words,
                    "cure": finding.cure,
                }
                for finding in self.findings
            ],
            "notChecked": [{"check": row.check, "why": row.why} for row in self.not_checked],
            "spent": {"points": self.points, "requests": self.requests},
        }
