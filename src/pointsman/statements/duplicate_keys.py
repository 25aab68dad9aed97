"""A property that stands twice in one object (RFC 8259 section 4 leaves open what that means).

A parser keeps one of the two, and nobody can say which was meant. So such a body is refused; found
at the price of writing it once more, for the shorter text has fewer quotation marks.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import orjson


class _TwiceError(Exception):
    pass


def repeated_key(body: bytes, found: Any) -> str | None:
    """A key that stands twice in an object of `body`, which was parsed to `found`."""
    try:
        written = orjson.dumps(found)
    except orjson.JSONEncodeError:  # deeper than any body may be, and refused for that
        return None
    # Where no backslash is escaped, a quotation mark is one of a string's two or an escaped one.
    if b"\\\\" not in body and b"\\\\" not in written and _marks(body) == _marks(written):
        return None
    try:
        json.loads(body, object_pairs_hook=_unique)
    except _TwiceError as twice:
        return str(twice)
    return None


def _marks(text: bytes) -> int:
    return text.count(b'"') - text.count(b'\\"')


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise _TwiceError(counts.most_common(1)[0][0])
    return made
