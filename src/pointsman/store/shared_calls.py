"""Calls of one transaction that are of the same kind share their steps in the database.

Many small steps are what a transaction costs: each gives up the interpreter lock, and must win it
back from a busy loop. So one call says how many of its kind are done together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

C = TypeVar("C")
A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class SharedCall(Generic[C, A, R]):
    """A call on a connection; `do_all` takes the arguments of many, and has a result for each."""

    do_all: Callable[[C, Sequence[A]], Sequence[R]]
    argument: A

    def __call__(self, connection: C) -> R:
        """This one alone."""
        (result,) = self.do_all(connection, [self.argument])
        return result


def call_all(connection: C, calls: Sequence[Callable[[C], Any]]) -> list[Any]:
    """The result of each call, in order; those of one kind run where the first of them is."""
    by_kind: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, call in enumerate(calls):
        by_kind[call.do_all if isinstance(call, SharedCall) else place].append(place)
    results: list[Any] = [None] * len(calls)
    for places in by_kind.values():
        first = calls[places[0]]
        if isinstance(first, SharedCall):
            outcomes = first.do_all(connection, [calls[place].argument for place in places])  # type: ignore[attr-defined]
            for place, outcome in zip(places, outcomes, strict=True):
                results[place] = outcome
        else:
            results[places[0]] = first(connection)
    return results
