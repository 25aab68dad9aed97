"""How the digests of two statements with one id are compared (xAPI Part 2 section 2.3.1). Pure.

A digest is a signed number of 64 bits. The upper 40 are a hash of what a statement says. The lower
24 are one of its timestamp, and 0 where it has none: an LRS may assign one, so a statement without
a timestamp is the same as one with any, while two different timestamps make two statements.

Earlier versions stored digests of another kind, 64 bits of one hash of the statement as it was
written. `is_same_as_written` compares with those, for a store may still hold them.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

#: bits of a digest that are the timestamp's
TIMESTAMP_BITS = 24
TIMESTAMP_MASK = (1 << TIMESTAMP_BITS) - 1
#: decimals of a duration's seconds that count
_MOST_DECIMALS = 2
_ASSIGNED = frozenset({"id", "stored", "authority", "version"})


def is_same(known: int, digest: int) -> bool:
    """Whether two digests are of the same statement."""
    if known >> TIMESTAMP_BITS != digest >> TIMESTAMP_BITS:
        return False
    timestamps = known & TIMESTAMP_MASK, digest & TIMESTAMP_MASK
    return timestamps[0] == timestamps[1] or 0 in timestamps


def is_same_as_written(known: int, statement: dict[str, Any]) -> bool:
    """Whether `known` is the digest that an earlier version made of this statement.

    It is compared without its timestamp too: that one may have been assigned since.
    """
    untimed = {name: value for name, value in statement.items() if name != "timestamp"}
    return known in {_digest_as_written(statement), _digest_as_written(untimed)}


def without_fine_seconds(duration: str) -> str:
    """A duration down to 0.01 s (1.0.3 Part 2 section 4.6, 2.0 section 4.2.7)."""
    point = max(duration.rfind("."), duration.rfind(","))
    fraction = duration[point + 1 : -1]
    if point < 1 or len(fraction) <= _MOST_DECIMALS or duration[-1] != "S":
        return duration
    # what follows the point may be hours, and then minutes and seconds
    return f"{duration[: point + 1 + _MOST_DECIMALS]}S" if fraction.isdigit() else duration


def _digest_as_written(statement: dict[str, Any]) -> int:
    compared = {
        name: value for name, value in _without_fine(statement).items() if name not in _ASSIGNED
    }
    inner = compared.get("object")
    if isinstance(inner, dict):
        compared["object"] = _without_fine(inner)
    canonical = orjson.dumps(compared, option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.blake2b(canonical, digest_size=8).digest(), "big", signed=True)


def _without_fine(part: dict[str, Any]) -> dict[str, Any]:
    result = part.get("result")
    duration = result.get("duration") if isinstance(result, dict) else None
    if result is None or not isinstance(duration, str):
        return part
    return {**part, "result": {**result, "duration": without_fine_seconds(duration)}}
