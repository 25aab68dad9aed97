"""Mutations as one GraphQL document: aliases, and variables for every value.

The text depends on the kinds of the mutations only, never on a value, so a few texts serve all
traffic. Mutations run in their order, one after another (GraphQL, section 6.2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from pointsman.domain.frozen import record
from pointsman.platforms.base import Mutation, Verdict
from pointsman.platforms.helium.fields import field, points
from pointsman.platforms.helium.operations import Shape

OPERATION = "Deliver"


@record
class MutationDocument:
    """What goes into the request's body, and the alias of each mutation in order.

    `nulls` says of each what the answer null means, None where it can't be null; `compares` what
    its answer shows against what was asked, in words.
    """

    query: str
    variables: dict[str, Any]
    aliases: tuple[str, ...]
    nulls: tuple[Verdict | None, ...]
    compares: tuple[Callable[[Any], str] | None, ...]


def document(mutations: Sequence[Mutation], now: float) -> MutationDocument:
    """One request for these mutations, in this order; `now` in Unix seconds."""
    fields = [field(mutation, now) for mutation in mutations]
    variables = {
        f"{argument}{place}": value
        for place, each in enumerate(fields)
        for argument, value in each.values.items()
    }
    return MutationDocument(
        _text(tuple([(each.shape, each.prelude) for each in fields])),
        variables,
        _aliases(len(fields)),
        tuple([each.null for each in fields]),
        tuple([each.compare for each in fields]),
    )


def price(mutations: Sequence[Mutation]) -> int:
    """One point an alias, and one for each property asked of its answer."""
    return sum(map(points, mutations))


def alias(place: int) -> str:
    """The alias of the mutation at `place`."""
    return f"m{place}"


@lru_cache(maxsize=1024)
def _aliases(count: int) -> tuple[str, ...]:
    return tuple(map(alias, range(count)))


@lru_cache(maxsize=1024)
def _text(shapes: tuple[tuple[Shape, Shape | None], ...]) -> str:
    declared: list[str] = []
    calls: list[str] = []
    for place, (shape, prelude) in enumerate(shapes):
        declared += [f"${name}{place}: {kind}" for name, kind in shape.arguments]
        arguments = ", ".join(f"{name}: ${name}{place}" for name, _ in shape.arguments)
        selection = f" {{ {shape.selection} }}" if shape.selection else ""
        if prelude is not None:
            calls.append(f"before_{alias(place)}: {prelude.operation}({arguments})")
        calls.append(f"{alias(place)}: {shape.operation}({arguments}){selection}")
    return f"mutation {OPERATION}({', '.join(declared)}) {{\n  " + "\n  ".join(calls) + "\n}"
