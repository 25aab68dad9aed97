"""Notes in a statement what was left out when it was made of another system's input.

An extension of the result carries it, so that it is counted, kept and shown with the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pointsman.domain.records import LeftOut, Reading

T = TypeVar("T")

#: an object: by reading, why it was left out
EXTENSION = "tag:pointsman,2026:left-out"
_MAX_LENGTH = 1_000
_READINGS = frozenset(Reading)


def take(
    left_out: list[LeftOut], reading: Reading, place: str, read: Callable[[], T | None]
) -> T | None:
    """What `read` returns; where it raises `ValueError`, None, and that is noted."""
    try:
        return read()
    except ValueError as error:
        left_out.append(LeftOut(reading, str(error), place))
        return None


def as_extension(left_out: Sequence[LeftOut]) -> dict[str, dict[str, str]]:
    """The extension; none where nothing was left out."""
    reasons: dict[str, list[str]] = {}
    for noted in left_out:
        reasons.setdefault(noted.reading.value, []).append(noted.reason)
    written = {reading: "; ".join(each)[:_MAX_LENGTH] for reading, each in reasons.items()}
    return {EXTENSION: written} if written else {}


def with_note(statement: dict[str, Any], left_out: Sequence[LeftOut]) -> dict[str, Any]:
    """The statement, and in its result what was left out of it."""
    if not left_out:
        return statement
    result = statement.get("result") or {}
    extensions = {**result.get("extensions", {}), **as_extension(left_out)}
    return {**statement, "result": {**result, "extensions": extensions}}


def left_out_before(extensions: Mapping[str, Any]) -> list[LeftOut]:
    """What the extension says; nothing where a stranger wrote something else in its place."""
    noted = extensions.get(EXTENSION)
    if not isinstance(noted, dict):
        return []
    return [
        LeftOut(Reading(reading), reason[:_MAX_LENGTH])
        for reading, reason in noted.items()
        if reading in _READINGS and isinstance(reason, str)
    ]
