"""Parses and writes the platform's `Date`: ISO 8601, written in UTC with a Z."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError


def parse_date(value: Any) -> datetime:
    """An aware datetime; a date alone is its midnight, and without an offset it is UTC."""
    if not isinstance(value, str):
        raise GraphQLError(f"Date must be an ISO 8601 string, not {value!r}")
    try:
        parsed = datetime.fromisoformat(value)
        # An offset can carry a date over the edge of the calendar: also no usable date.
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise GraphQLError(f"Date must be ISO 8601, not {value!r}") from error


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment(unix_seconds: float) -> datetime:
    return datetime.fromtimestamp(unix_seconds, UTC)
