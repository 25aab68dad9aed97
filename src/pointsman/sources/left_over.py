"""What one message of a log has beyond the most statements that are taken of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pointsman.domain.frozen import record
from pointsman.statements import write_json


@record
class LeftOver:
    """Statements of a message that were not taken, as an array that can be taken by itself."""

    body: bytes
    #: their places in the message
    first: int
    last: int
    reason: str


def left_overs(statements: list[Any], most: int, at_once: int) -> Iterator[LeftOver]:
    """What comes after the first `most`, in arrays that a replay takes.

    Raises `InputRefused` where one of them is nested too deep to be written.
    """
    for first in range(most, len(statements), at_once):
        part = statements[first : first + at_once]
        body = write_json(part)
        reason = (
            f"the message has {len(statements)} statements; at most {most} are taken of one "
            f"(max_statements of its source)"
        )
        yield LeftOver(body, first, first + len(part) - 1, reason)
