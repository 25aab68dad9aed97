"""Converts JSON values to what they stand for: numbers, booleans, timestamps, UUIDs.

A function raises `ValueError` with words that follow the value's name: "must be a number, not 'x'".
Missing, null and empty are alike: they say nothing, and come back as None.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pointsman.domain.iri import mailbox, mailbox_address
from pointsman.statements.data_types import Iri, Mailbox, Timestamp
from pointsman.statements.extension_numbers import all_of_it
from pointsman.statements.number_text import number_of
from pointsman.statements.statement import parse_timestamp

_MAILBOX: TypeAdapter[str] = TypeAdapter(Mailbox)
_IRI: TypeAdapter[str] = TypeAdapter(Iri)
_TIMESTAMP: TypeAdapter[str] = TypeAdapter(Timestamp)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MAX_LENGTH_IN_MESSAGE = 80
#: more than that is no number of seconds since 1970 but one of milliseconds, and more than that one
#: of microseconds, as Debezium writes a time of PostgreSQL
_MAX_SECONDS, _MAX_MILLISECONDS = 100_000_000_000, 100_000_000_000_000
#: a zone in words behind a time, as Ruby writes it; and a date of mail (RFC 5322) and HTTP
_ZONE_IN_WORDS = re.compile(r"\s(?:UTC|GMT)$")
_DATE_OF_MAIL = re.compile(r"[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} .*")
_YES = frozenset({"true", "yes", "1"})
_NO = frozenset({"false", "no", "0"})


def in_message(value: Any) -> str:
    """A value in a message."""
    return repr(value if isinstance(value, str) else str(value))[:_MAX_LENGTH_IN_MESSAGE]


def _fits(adapter: TypeAdapter[str], text: str) -> bool:
    try:
        adapter.validate_python(text)
    except ValidationError:
        return False
    return True


def is_address(text: str) -> bool:
    """Whether it is an e-mail address as a mailbox may have it (xAPI Part 2 section 2.4.2.3)."""
    return _fits(_MAILBOX, mailbox(text))


def address_of(text: str) -> str:
    """The address that a `mailto:` IRI names, as others write learners; any other text as it is."""
    return mailbox_address(text) if _fits(_MAILBOX, text) else text


def is_iri(text: str) -> bool:
    return _fits(_IRI, text)


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text.lower()) is not None


def number(value: Any) -> float | None:
    """A number, or a text that is one; NaN says nothing."""
    if value is None or (isinstance(value, str) and value.strip().lower() in {"", "nan"}):
        return None
    parsed = math.inf
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            parsed = number_of(value) if isinstance(value, str) else float(value)
        except (ValueError, OverflowError):
            parsed = math.inf
    if not math.isfinite(parsed):
        raise ValueError(f"must be a number, not {in_message(value)}")
    return parsed


def number_within(value: Any, least: float, most: float) -> float | None:
    """A number in these bounds, which are allowed."""
    parsed = number(value)
    if parsed is not None:
        parsed = all_of_it(parsed, most)
    if parsed is not None and not least <= parsed <= most:
        raise ValueError(f"must be a number from {least:g} to {most:g}, not {in_message(value)}")
    return parsed


def boolean(value: Any, yes: Collection[str] = ()) -> bool | None:
    """True or false; with `yes`, whether it is one of these words."""
    if value in (None, ""):
        return None
    if isinstance(value, str | int | float):
        word = str(value).strip().lower()
        if yes:
            return word in {known_word.lower() for known_word in yes}
        if word in _YES | _NO:
            return word in _YES
    raise ValueError(f"must be {'a word' if yes else 'true or false'}, not {in_message(value)}")


def timestamp(value: Any) -> str | None:
    """An xAPI timestamp, of ISO 8601 with a time of day, or of Unix seconds or milliseconds."""
    if value in (None, ""):
        return None
    try:
        return _timestamp_of_text(value) if isinstance(value, str) else _timestamp_of_number(value)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            "must be a time, in ISO 8601 with a time of day or in Unix seconds or milliseconds, "
            f"not {in_message(value)}"
        ) from None


def _timestamp_of_text(text: str) -> str:
    text = text.strip()
    if _fits(_TIMESTAMP, text):
        parse_timestamp(text)
        return text
    if text.replace(".", "", 1).isdecimal():
        return _timestamp_of_number(float(text))
    if ":" not in text:
        raise ValueError
    if _DATE_OF_MAIL.fullmatch(text):
        return _as_timestamp(parsedate_to_datetime(text))
    return _as_timestamp(datetime.fromisoformat(_ZONE_IN_WORDS.sub("+00:00", text)))


def _timestamp_of_number(value: Any) -> str:
    seconds = number(value)
    if seconds is None or seconds < 0:
        raise ValueError
    if seconds > _MAX_MILLISECONDS:
        seconds /= 1_000_000
    elif seconds > _MAX_SECONDS:
        seconds /= 1_000
    return _as_timestamp(datetime.fromtimestamp(seconds, UTC))


def _as_timestamp(at: datetime) -> str:
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.isoformat().replace("+00:00", "Z")


def later(first: str | None, second: str | None) -> str | None:
    """The later of two timestamps; without an offset it is UTC."""
    known = [timestamp for timestamp in (first, second) if timestamp is not None]
    return max(known, key=_datetime_of, default=None)


def _datetime_of(text: str) -> datetime:
    at = parse_timestamp(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def derived_uuid(namespace: uuid.UUID, *parts: Any) -> str:
    """A UUID of these texts and numbers, the same for the same."""
    return str(uuid.uuid5(namespace, joined(*parts)))


def joined(*parts: Any) -> str:
    """Texts and numbers as one name; none of them has the separator."""
    return "\x1f".join(map(str, parts))
