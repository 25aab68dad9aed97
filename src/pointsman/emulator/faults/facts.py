"""The facts of a request that a fault can be limited to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, value_from_ast_untyped

from pointsman.emulator.requests import Prepared


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """One request. `number` counts from 1; `at` is in seconds of a monotonic clock."""

    number: int
    at: float
    #: the fields of the operation, in their order, by their names in the schema; the one name of an
    #: event or a feed
    operations: tuple[str, ...]
    #: beside them, the values of each one's arguments, as text
    arguments: tuple[frozenset[str], ...]
    #: e-mail address of the authToken's learner; None without a good one
    learner: str | None
    #: the body
    text: str


def facts_of(
    request: Prepared, *, number: int, at: float, learner: str | None, body: bytes
) -> RequestFacts:
    """Of an operation's own fields; fragments are not looked into."""
    selected = request.operation.selection_set.selections
    fields = [node for node in selected if isinstance(node, FieldNode)]
    return RequestFacts(
        number=number,
        at=at,
        operations=tuple(field.name.value for field in fields),
        arguments=tuple(frozenset(_values(field, request.coerced)) for field in fields),
        learner=learner,
        text=body.decode("utf-8", "replace"),
    )


def named_facts(
    name: str, *, number: int, at: float, learner: str | None = None, text: str = ""
) -> RequestFacts:
    """Of an event, a webhook, or a request to the REST API."""
    return RequestFacts(number, at, (name,), (frozenset(),), learner, text)


def _values(field: FieldNode, variables: Mapping[str, Any]) -> Iterator[str]:
    for argument in field.arguments:
        yield from _scalars(value_from_ast_untyped(argument.value, dict(variables)))


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    else:
        yield str(value)
