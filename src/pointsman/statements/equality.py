"""Statements as they are compared: with what counts, and durations as far as they count."""

from __future__ import annotations

import re
from typing import Any

#: seconds that are finer than a hundredth, and as much of them as counts
_FINE = re.compile(r"([0-9]+[.,][0-9]{2})[0-9]+S$")


def comparable(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement, with durations down to 0.01 s (1.0.3 Part 2 section 4.6, 2.0 section 4.2.7).

    What is finer is kept and shown, and makes no difference.
    """
    shown = _cut(statement)
    inner = shown.get("object")
    if not isinstance(inner, dict):
        return shown
    cut = _cut(inner)
    return shown if cut is inner else {**shown, "object": cut}


def _cut(part: dict[str, Any]) -> dict[str, Any]:
    result = part.get("result")
    duration = result.get("duration") if isinstance(result, dict) else None
    if result is None or not isinstance(duration, str) or not _FINE.search(duration):
        return part
    return {**part, "result": {**result, "duration": _FINE.sub(r"\1S", duration)}}
