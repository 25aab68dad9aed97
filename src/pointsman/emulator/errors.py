"""The platform's refusals, each with its `extensions.code`.

The exact codes are not published; these are the ones to expect (docs/emulator.md).
"""

from __future__ import annotations

from enum import StrEnum

from graphql import GraphQLError


class Code(StrEnum):
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    RATE_LIMITED = "RATE_LIMITED"
    #: the body is no GraphQL request
    BAD_REQUEST = "BAD_REQUEST"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    #: the request costs more points than one request may
    COMPLEXITY_LIMIT_EXCEEDED = "COMPLEXITY_LIMIT_EXCEEDED"
    #: a fault of the emulator
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


class RejectionError(GraphQLError):
    """A field, or a whole request, that is refused on purpose."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message, extensions={"code": code.value})
        self.code = code
