"""Mends JSON with half a character in a text that somebody cut, which no parser takes. Pure.

RFC 8259 section 8.2: JavaScript and Java write one half of a pair of surrogates where a text was
cut in an emoji.
"""

from __future__ import annotations

import re

#: an escape in a text: a pair of surrogates, one alone, or another
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
#: what stands for a character that is lost (Unicode 23.8)
_LOST = rb"\ufffd"


def with_whole_characters(body: bytes) -> bytes:
    """The body with U+FFFD in the place of half a character, and all else as it was."""
    return _ESCAPE.sub(lambda escape: escape[0] if escape[1] is None else _LOST, body)
