"""The executable schema: the SDL files, with scalars and resolvers put in."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    build_schema,
    execute_sync,
)

from pointsman.emulator.dates import iso, parse_date
from pointsman.emulator.resolvers import RESOLVERS, Session
from pointsman.errors import Bug

_SDL = ("schema.graphql", "pages.graphql")
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@cache
def load_schema() -> GraphQLSchema:
    """Build the schema from the package's SDL files; it holds no state, so one serves all."""
    package = resources.files(__package__)
    schema = build_schema("\n".join(package.joinpath(name).read_text("utf-8") for name in _SDL))

    date = schema.type_map["Date"]
    slug = schema.type_map["Slug"]
    if not isinstance(date, GraphQLScalarType) or not isinstance(slug, GraphQLScalarType):
        raise Bug("Date and Slug must be scalars of the schema")
    # graphql-core's way for schemas that come from SDL; its own __init__ needs the same ignore.
    date.parse_value = parse_date  # type: ignore[method-assign]
    date.serialize = iso  # type: ignore[method-assign,assignment]
    slug.parse_value = GraphQLString.parse_value  # type: ignore[method-assign]

    for root in (schema.query_type, schema.mutation_type):
        if root is None:
            raise Bug("the schema needs a Query and a Mutation")
        _bind(root)
    return schema


def _bind(root: GraphQLObjectType) -> None:
    for name, field in root.fields.items():
        field.resolve = RESOLVERS[name]
        for argument_name, argument in field.args.items():
            argument.out_name = _CAPITAL.sub("_", argument_name).lower()


def execute(
    schema: GraphQLSchema,
    document: DocumentNode,
    session: Session,
    *,
    variables: dict[str, object],
    operation_name: str | None,
) -> ExecutionResult:
    """Run a valid operation.

    The fields of a mutation run one after another, and the first failure of a non-null field
    ends it: the fields before it have run, those after it have not. graphql-core gives this to
    synchronous resolvers only, because the error is then raised through the loop over the
    fields; with asynchronous ones it has called them all before it looks at the first error.
    """
    return execute_sync(
        schema,
        document,
        context_value=session,
        variable_values=variables,
        operation_name=operation_name,
    )
