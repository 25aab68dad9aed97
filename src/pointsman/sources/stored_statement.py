"""Reads statements back that are stored. Pure."""

from __future__ import annotations

import orjson
from pydantic import ValidationError

from pointsman.domain.errors import InputRefused
from pointsman.statements import STATEMENT, Limits, Statement, Valid, parse
from pointsman.store.base import StoredStatement
from pointsman.store.statement_conflicts import item_body


def parse_stored(stored: StoredStatement) -> Statement | None:
    """A statement as it was validated; None where it is valid no longer."""
    json = orjson.loads(stored.body)
    try:
        return STATEMENT.validate_python(json if stored.index is None else json[stored.index])
    except ValidationError:  # it was valid to the version that stored it
        return None


def valid_again(stored: StoredStatement, limits: Limits) -> Valid | None:
    """A statement, validated again within `limits`; None where it is valid no longer."""
    body = item_body(stored.body, stored.index)
    try:
        parsed = parse(body, limits, new_id=lambda: stored.statement_id)
    except InputRefused:
        return None
    (item,) = parsed.items
    return item if isinstance(item, Valid) else None
