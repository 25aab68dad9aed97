"""Converts durations of SCORM 1.2 and SCORM 2004 to seconds, and seconds to ISO 8601. Pure."""

from __future__ import annotations

import re

#: SCORM 1.2 RTE section 3.4.1.1: HHHH:MM:SS.SS, and what players write that counts in thousandths
_TIMESPAN = re.compile(r"([0-9]{1,5}):([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]{1,20})?)")
_COUNT = r"([0-9]{1,9}(?:\.[0-9]{1,20})?)"
#: SCORM 2004 4th RTE section 4.1.1.7, with a fraction of whatever unit
_INTERVAL = re.compile(
    rf"P(?:{_COUNT}Y)?(?:{_COUNT}M)?(?:{_COUNT}D)?"
    rf"(?:T(?:{_COUNT}H)?(?:{_COUNT}M)?(?:{_COUNT}S)?)?"
)
#: seconds in what an interval counts; years and months are those of bookkeepers
_UNITS = (31_536_000, 2_592_000, 86_400, 3_600, 60, 1)


def is_duration(text: str) -> bool:
    return _counts(text) is not None


def duration_seconds(text: str) -> float | None:
    """None where it says nothing, or nothing that can be read: zero is what a fresh player says."""
    counts = _counts(text)
    if counts is None:
        return None
    total = sum(float(n or 0) * unit for n, unit in zip(counts, _UNITS, strict=True))
    return total or None


def _counts(text: str) -> tuple[str | None, ...] | None:
    """How many of each unit; None where the text is no duration."""
    if match := _TIMESPAN.fullmatch(text):
        return (None, None, None, *match.groups())
    match = _INTERVAL.fullmatch(text)
    return None if match is None else match.groups()


def iso_duration(length: float) -> str:
    """As xAPI has it (Part 2 section 4.6), with hundredths of a second."""
    return f"PT{length:.2f}".rstrip("0").rstrip(".") + "S"
