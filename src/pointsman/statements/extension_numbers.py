"""Numbers in extensions, where anything may stand."""

from __future__ import annotations

import math
from typing import Any

from pointsman.domain.errors import InputRefused


class ReadingRefused(InputRefused):
    """The statement is valid xAPI, but a reading in it makes no sense."""


def number(where: str, value: Any, most: float) -> float:
    """A number, also one that is written as text; raises `ReadingRefused` with its place."""
    parsed = math.nan
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            parsed = float(value)
        except (ValueError, OverflowError):
            parsed = math.nan
    if not 0 <= parsed <= most:
        raise ReadingRefused(f"{where} must be a number from 0 to {most}, not {str(value)[:80]!r}")
    return parsed
