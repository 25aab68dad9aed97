"""Reads the JSON that another server answered. Pure.

A server that cuts its texts cuts some in an emoji, or within a character of several bytes. What
else its answer says is worth more than that character, which is U+FFFD then.
"""

from __future__ import annotations

from typing import Any

import orjson

from pointsman.domain.whole_characters import with_whole_characters
from pointsman.text_files import without_mark


def read_json_answer(body: bytes) -> Any:
    """The value, with or without a byte order mark before it. Raises `ValueError` for no JSON."""
    body = without_mark(body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        mended = with_whole_characters(body.decode("utf-8", "replace").encode())
        if mended == body:
            raise
        return orjson.loads(mended)
