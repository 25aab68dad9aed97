"""Parses and validates a body to one GraphQL operation that is ready to be priced and run."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution import get_variable_values

from pointsman.emulator.errors import Code, RejectionError
from pointsman.emulator.responses import RequestError

#: characters of the documents that are remembered; a parsed one takes 100 bytes for each
CACHED_CHARACTERS = 250_000

_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class Prepared:
    """A valid operation of a valid document. `variables` are as sent, `coerced` as declared."""

    document: DocumentNode
    operation: OperationDefinitionNode
    operation_name: str | None
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    coerced: dict[str, Any]


def _refuse(code: Code, message: str) -> RequestError:
    return RequestError(_BAD_REQUEST, [RejectionError(code, message)])


class RequestReader:
    """Reads requests against one schema, and remembers the documents it has validated."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._cache: OrderedDict[str, DocumentNode] = OrderedDict()
        self._cached = 0

    def read(self, body: bytes) -> Prepared:
        """Raises `RequestError` (400) saying what is wrong with the body, document or variables."""
        query, variables, operation_name = _parse_body(body)
        document = self._document(query)
        operation = get_operation_ast(document, operation_name)
        if operation is None:
            raise _refuse(
                Code.BAD_REQUEST,
                f"the document has no operation {operation_name!r}"
                if operation_name is not None
                else "the document must have one operation, or operationName must name one",
            )
        if self._schema.get_root_type(operation.operation) is None:
            raise _refuse(
                Code.BAD_REQUEST, f"the platform has no {operation.operation.value} operations"
            )
        coerced = get_variable_values(
            self._schema, operation.variable_definitions or (), variables, max_errors=20
        )
        if isinstance(coerced, list):
            raise RequestError(_BAD_REQUEST, _coded(Code.BAD_USER_INPUT, coerced))
        fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        return Prepared(document, operation, operation_name, fragments, variables, coerced)

    def _document(self, query: str) -> DocumentNode:
        if (known := self._cache.get(query)) is not None:
            self._cache.move_to_end(query)
            return known
        try:
            document = parse(query)
            errors = validate(self._schema, document, max_errors=20)
        except GraphQLSyntaxError as error:
            raise RequestError(_BAD_REQUEST, _coded(Code.GRAPHQL_PARSE_FAILED, [error])) from error
        if errors:
            raise RequestError(_BAD_REQUEST, _coded(Code.GRAPHQL_VALIDATION_FAILED, errors))
        self._remember(query, document)
        return document

    def _remember(self, query: str, document: DocumentNode) -> None:
        self._cache[query] = document
        self._cached += len(query)
        while self._cached > CACHED_CHARACTERS:
            forgotten, _ = self._cache.popitem(last=False)
            self._cached -= len(forgotten)


def _parse_body(body: bytes) -> tuple[str, dict[str, Any], str | None]:
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refuse(Code.BAD_REQUEST, f"the body is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise _refuse(Code.BAD_REQUEST, "the body must be one JSON object with `query`")
    query = request.get("query")
    if not isinstance(query, str) or not query.strip():
        raise _refuse(Code.BAD_REQUEST, "`query` must be a GraphQL document, as a string")
    variables = request.get("variables")
    if not isinstance(variables, dict | None):
        raise _refuse(Code.BAD_REQUEST, "`variables` must be an object")
    operation_name = request.get("operationName")
    if not isinstance(operation_name, str | None):
        raise _refuse(Code.BAD_REQUEST, "`operationName` must be a string")
    return query, variables or {}, operation_name or None


def _coded(code: Code, errors: list[GraphQLError]) -> list[GraphQLError]:
    for error in errors:
        error.extensions = {**(error.extensions or {}), "code": code.value}
    return errors
