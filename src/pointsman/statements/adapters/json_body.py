"""A body as JSON, judged as strictly as one of statements."""

from __future__ import annotations

from typing import Any

import orjson

from pointsman.domain.errors import InputRefused
from pointsman.statements.duplicate_keys import repeated_key


def parsed(body: bytes) -> Any:
    """Raises `InputRefused`: no JSON in UTF-8, or a property that stands twice in one object."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputRefused(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    if (key := repeated_key(body, found)) is not None:
        raise InputRefused(f"the property {key[:80]!r} stands twice in one object; which is meant?")
    return found
