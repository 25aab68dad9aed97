"""Reads the parameters of a feed's URL, and the cursor, which callers can't make themselves."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

import orjson

from pointsman.domain.clock import MICROSECONDS, micros
from pointsman.emulator.events.kinds import EventKind
from pointsman.emulator.events.log import FeedQuery, Key

_MILLISECONDS = 1_000


class FeedRequestError(Exception):
    """The request makes no sense; the message names the parameter."""


class FeedOptions(Protocol):
    """What of the REST API's options matters here."""

    @property
    def per_page(self) -> int: ...

    @property
    def newest_first(self) -> bool: ...

    @property
    def cursor_ttl(self) -> float | None: ...


def read_query(
    query: Mapping[str, str],
    shown: frozenset[EventKind],
    options: FeedOptions,
    now: float,
    *,
    of_courses: bool,
) -> FeedQuery:
    """`now` is in Unix seconds. Raises `FeedRequestError`."""
    return FeedQuery(
        kinds=_kinds(query.get("kind"), shown),
        of_courses=of_courses,
        per_page=_per_page(query.get("perPage"), options.per_page),
        start=_moment("startDate", query.get("startDate")),
        end=_moment("endDate", query.get("endDate")),
        content=query.get("notifiableId"),
        user=query.get("userId"),
        after=_after(query.get("cursor"), options.cursor_ttl, now),
        newest_first=options.newest_first,
    )


def cursor_of(key: Key, now: float) -> str:
    """Names the event behind which the next page begins."""
    return base64.urlsafe_b64encode(orjson.dumps([*key, micros(now)])).decode().rstrip("=")


def _after(cursor: str | None, ttl: float | None, now: float) -> Key | None:
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, number, issued = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        key = (int(at), int(number))
        age = now - int(issued) / MICROSECONDS
    except (binascii.Error, ValueError, TypeError):
        raise FeedRequestError("cursor is not one of this API") from None
    if ttl is not None and age > ttl:
        raise FeedRequestError("cursor has expired")
    return key


def _kinds(kind: str | None, shown: frozenset[EventKind]) -> frozenset[EventKind]:
    """`kind` is a source, with or without what it begins with: completed, course_completed."""
    if kind is None:
        return shown
    return frozenset(
        known for known in shown if kind in {known.source, known.source.partition("_")[2]}
    )


def _per_page(text: str | None, most: int) -> int:
    if text is None:
        return most
    if not text.isascii() or not text.isdigit() or text == "0":
        raise FeedRequestError(f"perPage must be a number from 1, not {text!r}")
    return min(int(text), most)


def _moment(name: str, text: str | None) -> int | None:
    """Microseconds of an ISO 8601 timestamp or of Unix milliseconds: the pages say both."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return int(text) * (MICROSECONDS // _MILLISECONDS)
    try:
        parsed = datetime.fromisoformat(text)
        aware = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed
        return micros(aware.timestamp())
    except (ValueError, OverflowError) as error:
        message = f"{name} must be ISO 8601 or Unix milliseconds, not {text!r}"
        raise FeedRequestError(message) from error
