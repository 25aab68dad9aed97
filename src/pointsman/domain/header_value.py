"""What can be the value of an HTTP header (RFC 9110 section 5.5). Pure."""

from __future__ import annotations

#: servers refuse headers that are longer than some 8 kB in all
LONGEST_HEADER_VALUE = 8_000
_LATIN_1 = 0xFF
_DELETE, _LAST_CONTROL = 0x7F, 0x9F
_NAMES = {"\r": "a line break", "\n": "a line break", "\0": "NUL", "\t": "a tab"}


def header_problem(text: str) -> str | None:
    """Why `text` can't be a header's value, in words that don't repeat it; None where it can."""
    if not text:
        return "is empty"
    if len(text) > LONGEST_HEADER_VALUE:
        return f"is longer than {LONGEST_HEADER_VALUE:,} characters"
    if text.isascii() and text.isprintable() and text == text.strip():
        return None
    for place, character in enumerate(text, start=1):
        code = ord(character)
        if character < " " or _DELETE <= code <= _LAST_CONTROL:
            name = _NAMES.get(character, f"the control character U+{code:04X}")
            return f"has {name} at character {place}, which no HTTP header can hold"
        if code > _LATIN_1:
            return f"has U+{code:04X} at character {place}, which no HTTP header can hold"
    if text != text.strip():
        return "begins or ends with a space, which HTTP takes away"
    return None


def header_value(text: str) -> str:
    """A validator: the text itself. Raises `ValueError`."""
    problem = header_problem(text)
    if problem is not None:
        raise ValueError(problem)
    return text
