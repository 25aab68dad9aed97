"""Reads numbers from extensions, which may hold any value."""

from __future__ import annotations

import math
from typing import Any

from pointsman.domain.errors import InputRefused
from pointsman.domain.records import LeftOut, Reading
from pointsman.statements.number_text import number_of

#: what is less than the whole is at most this, as a percentage
_MAX_INCOMPLETE = 99.999999
#: types that may hold a number
_NUMBERS = (int, float, str)
#: what sums of fractions are wrong by, as a share
_HAIR = 1e-12


class ReadingRefused(InputRefused):
    """A reading makes no sense. It is left out; the statement that has it is taken."""

    def __init__(self, reading: Reading, field: str, rule: str) -> None:
        self.left_out = LeftOut(reading, rule, field)
        super().__init__(self.left_out.reason)


def number(reading: Reading, where: str, value: Any, most: float) -> float:
    """A number, also one that is written as text; raises `ReadingRefused` with its place."""
    parsed = math.nan
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        try:
            parsed = number_of(value) if isinstance(value, str) else float(value)
        except (ValueError, OverflowError):
            parsed = math.nan
    parsed = all_of_it(parsed, most)
    if not 0 <= parsed <= most:
        raise ReadingRefused(
            reading, where, f"must be a number from 0 to {most}, not {str(value)[:80]!r}"
        )
    return parsed


def all_of_it(number: float, most: float) -> float:
    """`most` where a number is a hair beside it: ten times 0.1 is 0.9999999999999999."""
    return most if abs(number - most) <= most * _HAIR else number


def percentage(share: float) -> float:
    """A share of 1 as a percentage: 0.29 is 29, and less than 1 is less than 100."""
    # rounded, for 0.29 * 100 is 28.999999999999996
    rounded = round(share * 100, 6)
    return min(rounded, _MAX_INCOMPLETE) if share < 1 else rounded
