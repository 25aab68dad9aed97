"""Reads a number that is written as text, as JSON and most languages write one."""

from __future__ import annotations

import re

#: Python's own reading takes more for one: 5_0, digits of other scripts, infinity
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def number_of(text: str) -> float:
    """The number; space around it does not matter. Raises `ValueError`."""
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped) is None:
        raise ValueError("is no number")
    return float(stripped)
