"""Makes a text safe to show at a terminal. Pure."""

from __future__ import annotations


def visible(text: str, keep: str = "") -> str:
    """The text with an escape for each character that can't be seen, but for those to `keep`.

    Such a character may be a command to the terminal, and senders choose their words.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in keep else repr(character)[1:-1]
        for character in text
    )
