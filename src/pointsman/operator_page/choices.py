"""Reads what a form or an address chooses of a fixed set; what is not of it is refused. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from pointsman.domain.errors import InputRefused

E = TypeVar("E", bound=StrEnum)


def choice(of: type[E], text: str, what: str) -> E | None:
    """The member that `text` names, None where it is empty; `what` names the field to a person.

    Raises `InputRefused` for another text: nothing is done, for "all" may not have been meant.
    """
    if not text:
        return None
    try:
        return of(text)
    except ValueError:
        known = ", ".join(of)
        raise InputRefused(
            f"There is no {what} {text[:80]!r}, and nothing was done. There are: {known}."
        ) from None
