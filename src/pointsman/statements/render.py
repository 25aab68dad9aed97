"""Writes a stored statement as GET returns it (xAPI Part 3 section 2.1.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from pointsman.statements.formats import as_arrays


def render(
    stored_body: bytes,
    index: int | None,
    *,
    statement_id: str,
    stored_at: int,
    source: str,
    authority_home_page: str,
    version: str = "1.0.0",
) -> dict[str, Any]:
    """The statement as it came, plus what the endpoint assigned.

    `stored_at` is in microseconds since the epoch. The authority is always ours: whoever sent
    the statement is known by its source (Part 2 section 2.4.9).
    """
    body = orjson.loads(stored_body)
    statement: dict[str, Any] = dict(body if index is None else body[index])
    stored = timestamp_of(stored_at)
    statement["id"] = statement_id
    statement["stored"] = stored
    statement.setdefault("timestamp", stored)
    statement.setdefault("version", version)
    _show_arrays(statement)
    if statement["object"].get("objectType") == "SubStatement":
        statement["object"] = dict(statement["object"])
        _show_arrays(statement["object"])
    statement["authority"] = {
        "objectType": "Agent",
        "account": {"homePage": authority_home_page, "name": source},
    }
    return statement


def _show_arrays(part: dict[str, Any]) -> None:
    context = part.get("context")
    if context and "contextActivities" in context:
        activities = as_arrays(context["contextActivities"])
        part["context"] = {**context, "contextActivities": activities}


def timestamp_of(micros: int) -> str:
    """Microseconds since the epoch as RFC 3339 in UTC."""
    at = datetime.fromtimestamp(micros // 1_000_000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{micros % 1_000_000:06d}Z"
