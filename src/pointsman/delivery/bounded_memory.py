"""What is remembered of recipients and targets, with a bound: the oldest is forgotten first."""

from __future__ import annotations

from typing import TypeVar

#: recipients or targets that are remembered
MOST = 10_000

T = TypeVar("T")


def remember(memory: dict[T, None], item: T) -> None:
    """Add `item`; where there are too many, forget the one that was added first."""
    memory[item] = None
    if len(memory) > MOST:
        del memory[next(iter(memory))]
