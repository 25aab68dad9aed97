"""Parses a body as JSON, strictly: in UTF-8, and no property twice in one object.

RFC 8259 section 4 leaves open what a property that appears twice means. A parser keeps one of the
two, and nobody can say which was meant; so such a body is refused. A byte order mark in front says
nothing (section 8.1). Half a character (section 8.2), which JavaScript writes of a text that was
cut in an emoji, is refused too, but for senders whom nobody can correct.

How much a body may hold, and how deep, is bounded here too. That is asked of each statement, so it
looks at as little as decides: what is short has few objects and arrays.
"""

from __future__ import annotations

import json
import sys
from codecs import BOM_UTF8
from collections import Counter
from typing import Any, Final

import orjson

from pointsman.domain.errors import InputRefused
from pointsman.domain.whole_characters import with_whole_characters
from pointsman.statements.settings import Limits

JSON = "application/json"
#: no valid statement is nested deeper where its extensions hold no objects and arrays
DEEPEST: Final = 10
_NO_OPENING_BRACKET = bytes(byte for byte in range(256) if byte not in b"{[")

#: what the parser says of a number that no double holds
_TOO_LARGE = "number is infinity"


class _RepeatedKeyError(InputRefused):
    """A property appears twice in one object; the message is its name."""


def media_type(content_type: str) -> str:
    """A Content-Type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def parse_json(body: bytes, *, tolerant: bool = False) -> Any:
    """Raises `InputRefused`: no JSON in UTF-8, or a property that appears twice in one object.

    `tolerant` puts U+FFFD in the place of half a character.
    """
    return read_json(body, tolerant=tolerant)[0]


def read_json(body: bytes, *, tolerant: bool = False) -> tuple[Any, bytes]:
    """The value, and the body as every parser reads it: nearly always the one that came.

    Raises what `parse_json` does.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        body, came = body.removeprefix(BOM_UTF8), body
        if tolerant:
            body = with_whole_characters(body)
        if body == came:
            raise _refusal(error) from None
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as other:
            raise _refusal(other) from None
    if (key := repeated_key(body, value)) is not None:
        raise InputRefused(
            f"the property {key[:80]!r} appears twice in one object; which is meant?"
        )
    return value, body


def write_json(value: Any) -> bytes:
    """Raises `InputRefused`: it is nested deeper than JSON is written here, some 250 levels."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise InputRefused(f"the body is nested too deep to be taken: {error}") from error


def _refusal(error: orjson.JSONDecodeError) -> InputRefused:
    place = f"line {error.lineno}, column {error.colno}"
    if error.msg.startswith(_TOO_LARGE):
        return InputRefused(
            f"the body has a number beyond {sys.float_info.max:.1e} at {place}, which is "
            "larger than is taken (RFC 8259 section 6)"
        )
    return InputRefused(f"the body is not JSON: {error.msg} at {place}")


def repeated_key(body: bytes, value: Any) -> str | None:
    """A key that appears twice in an object of `body`, which was parsed to `value`.

    It costs writing the value once: the text of one that lost a property has fewer quotation marks.
    Only where the marks differ, or can't be counted, the body is parsed a second time.
    """
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:  # deeper than any body may be, and refused for that
        return None
    if written == body:  # as browsers write it
        return None
    # What was written has an escape only where the body has one.
    if b"\\" not in body and body.count(b'"') == written.count(b'"'):
        return None
    # Where no backslash is escaped, a quotation mark is one of a string's two or an escaped one.
    if b"\\\\" not in body and b"\\\\" not in written and _marks(body) == _marks(written):
        return None
    try:
        json.loads(body, object_pairs_hook=_unique)
    except _RepeatedKeyError as repeated:
        return str(repeated)
    return None


def _marks(text: bytes) -> int:
    return text.count(b'"') - text.count(b'\\"')


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise _RepeatedKeyError(counts.most_common(1)[0][0])
    return members


def check_values(body: bytes, limits: Limits) -> None:
    """Raises `InputRefused` for a body that would be too much to parse at once."""
    most = limits.max_values * limits.STATEMENTS_OF_MOST_VALUES
    if _has_more_brackets(body, most):
        raise InputRefused(
            f"the body has more than {most} objects and arrays (fifty times http.max_values)"
        )


def is_bounded(body: bytes, limits: Limits) -> bool:
    """Whether a valid statement of this body can exceed the limits by its extensions alone."""
    return limits.max_depth >= DEEPEST and not _has_more_brackets(body, limits.max_values)


def _has_more_brackets(body: bytes, most: int) -> bool:
    """Whether it opens more, those in texts too."""
    return len(body) > most and len(body.translate(None, _NO_OPENING_BRACKET)) > most


def too_much(value: Any, limits: Limits) -> str:
    """Which limit its objects and arrays exceed, in how deep or how many they are; "" for none."""
    try:
        # one that opens no more brackets than it may be deep is neither, and few open more
        if not _has_more_brackets(orjson.dumps(value), limits.max_depth):
            return ""
    except orjson.JSONEncodeError:  # it is too deep to be written
        pass
    level = [value]
    count = 1
    for _ in range(limits.max_depth):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return ""
        count += len(level)
        if count > limits.max_values:
            return f"has more than {limits.max_values} objects and arrays (http.max_values)"
    return f"is nested deeper than {limits.max_depth} (http.max_depth)"
