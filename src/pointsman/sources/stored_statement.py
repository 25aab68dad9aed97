"""Reads statements back that are stored. Pure."""

from __future__ import annotations

import orjson
from pydantic import ValidationError

from pointsman.statements import STATEMENT, Statement
from pointsman.store.base import StoredStatement


def parse_stored(stored: StoredStatement) -> Statement | None:
    """A statement as it was validated; None where it is valid no longer."""
    json = orjson.loads(stored.body)
    try:
        return STATEMENT.validate_python(json if stored.index is None else json[stored.index])
    except ValidationError:  # it was valid to the version that stored it
        return None
