"""Decides whether two statements are the same (xAPI 1.0.3 Part 2 section 2.3.1).

Ignored is what an LRS may assign or leave out, and what may be written in more than one way:

- `id`, `stored`, `authority` and `version`; a `timestamp` that one of the two has not
- the definitions of activities, and the `display` of verbs
- how a point in time is written: its zone, and what is finer than a millisecond (section 4.5)
- the order of a group's members and of context activities, and whether a single context activity
  stands in an array (section 2.4.6.2)
- attachments, which are no part of a statement
- case, where it says nothing: domains of mailboxes, UUIDs, SHA-1, language tags
- seconds of a duration that are finer than a hundredth (section 4.6)
- how JSON writes a number: 1, 1.0 and 1e0

Every other difference makes another statement. That goes for IRIs, which are compared letter by
letter (section 3.1), and for `objectType` and names of agents. All functions take valid statements
and parts of such.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import orjson

from pointsman.domain.statement_digest import TIMESTAMP_MASK, without_fine_seconds
from pointsman.statements.statement import LEAP_SECOND, microseconds

#: milliseconds that set a leap second apart from the second before it, and from all others
_LEAP = 10**15
#: whole numbers are parsed as such within these, and those beyond as fractions
_LEAST_WHOLE, _MOST_WHOLE = -(2**63), 2**64
#: types of values that hold no fraction
_NO_FRACTIONS = frozenset({str, int, bool, type(None)})
#: a number that is written as a fraction or with an exponent and is whole, or a text like it
_WHOLE_FRACTION = re.compile(rb"(?:\.0|e\+1[6-9])[,\]}]")


def digest(statement: dict[str, Any]) -> int:
    """The signed 64-bit digest of a statement, to be compared by `is_same`."""
    timestamp = statement.get("timestamp")
    return pack(content(statement), None if timestamp is None else milliseconds(timestamp))


def pack(content: bytes, timestamp: int | None) -> int:
    """The digest of a statement: of its `content`, and of its timestamp in milliseconds."""
    upper = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big", signed=True)
    # 0 stands for none, and timestamps of which two give the same are hours and odd seconds apart
    lower = 0 if timestamp is None else timestamp % TIMESTAMP_MASK + 1
    return upper & ~TIMESTAMP_MASK | lower


def content(statement: dict[str, Any]) -> bytes:
    """What counts of a statement, its timestamp aside: the same bytes for the same statement."""
    compared = _content(statement)
    written = orjson.dumps(compared, option=orjson.OPT_SORT_KEYS)
    if _may_have_fractions(statement) and _WHOLE_FRACTION.search(written):
        written = orjson.dumps(_with_whole_numbers(compared), option=orjson.OPT_SORT_KEYS)
    return written


def _may_have_fractions(part: dict[str, Any]) -> bool:
    """Whether it has a number that may be a fraction: only scores and extensions have numbers."""
    result, context = part.get("result"), part.get("context")
    if result is not None and ("score" in result or _has_fractions(result.get("extensions"))):
        return True
    if context is not None and _has_fractions(context.get("extensions")):
        return True
    # a statement inside has them too
    return "actor" in part["object"] and _may_have_fractions(part["object"])


def _has_fractions(extensions: dict[str, Any] | None) -> bool:
    if extensions:
        for value in extensions.values():
            if type(value) not in _NO_FRACTIONS:
                return True
    return False


def milliseconds(timestamp: str) -> int:
    """A point in time since the epoch. Without an offset it is UTC.

    A calendar without leap seconds has none; here each is far beyond all others.
    """
    whole = microseconds(timestamp) // 1_000
    is_leap = "60" in timestamp and LEAP_SECOND.search(timestamp) is not None
    return whole + _LEAP if is_leap else whole


def comparable_actor(actor: dict[str, Any]) -> dict[str, Any]:
    """An agent or group, with mailboxes and members written in one way."""
    mailbox, sha1, members = actor.get("mbox"), actor.get("mbox_sha1sum"), actor.get("member")
    compared = actor
    if mailbox is not None and not mailbox.islower():
        local, _, domain = mailbox.partition(":")[2].rpartition("@")
        compared = {**compared, "mbox": f"mailto:{local}@{domain.lower()}"}
    if sha1 is not None:
        compared = {**compared, "mbox_sha1sum": sha1.lower()}
    if members is not None:
        in_order = sorted(map(comparable_actor, members), key=_sorting_key)
        compared = {**compared, "member": in_order}
    return compared


def _content(part: dict[str, Any]) -> list[Any]:
    """Of a statement, or of one inside it."""
    result, context = part.get("result"), part.get("context")
    return [
        comparable_actor(part["actor"]),
        part["verb"]["id"],
        _object(part["object"]),
        result if result is None else _result(result),
        context if context is None else _context(context),
    ]


def _object(value: dict[str, Any]) -> Any:
    match value.get("objectType"):
        case None | "Activity":
            return _activity(value)
        case "StatementRef":
            return _reference(value)
        case "SubStatement":
            timestamp = value.get("timestamp")
            return [*_content(value), None if timestamp is None else milliseconds(timestamp)]
        case _:
            return comparable_actor(value)


def _activity(activity: dict[str, Any]) -> str:
    # an IRI holds no space, so the two can't be taken for each other
    return f"Activity {activity['id']}" if "objectType" in activity else activity["id"]


def _reference(reference: dict[str, Any]) -> dict[str, Any]:
    return {**reference, "id": reference["id"].lower()}


def _result(result: dict[str, Any]) -> dict[str, Any]:
    duration = result.get("duration")
    if duration is None:
        return result
    compared = without_fine_seconds(duration)
    return result if compared is duration else {**result, "duration": compared}


def _context(context: dict[str, Any]) -> dict[str, Any]:
    compared = context.copy()
    for name, value in context.items():
        if (write := _COMPARABLE.get(name)) is not None:
            compared[name] = write(value)
    return compared


def _context_activities(activities: dict[str, Any]) -> dict[str, list[str]]:
    compared = {}
    for kind, value in activities.items():
        ids = list(map(_activity, value if isinstance(value, list) else [value]))
        if len(ids) > 1:  # as it seldom is
            ids.sort()
        compared[kind] = ids
    return compared


def _context_actors(part: str) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    """Of `contextAgents` and `contextGroups`, whose order may mean something."""
    return lambda listed: [{**element, part: comparable_actor(element[part])} for element in listed]


_COMPARABLE: dict[str, Callable[[Any], Any]] = {
    "registration": str.lower,
    "instructor": comparable_actor,
    "team": comparable_actor,
    "language": str.lower,
    "statement": _reference,
    "contextActivities": _context_activities,
    "contextAgents": _context_actors("agent"),
    "contextGroups": _context_actors("group"),
}


def _sorting_key(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _with_whole_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_whole_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and _LEAST_WHOLE <= value < _MOST_WHOLE:
        return int(value)
    return value
