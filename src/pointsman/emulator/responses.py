"""The emulator's answers as HTTP has them: status, headers, JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from graphql import ExecutionResult, GraphQLError
from pydantic import ValidationError

from pointsman.emulator.errors import Code, RejectionError
from pointsman.emulator.limits import QuotaReading

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    #: a fault: the connection is dropped instead
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class GraphQLAnswer:
    """What the emulator says to a request that had a good key."""

    status: int
    payload: Mapping[str, Any]
    #: points of the request, 0 when it could not be priced
    cost: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)


class RequestError(Exception):
    """The whole request is refused, and nothing of it ran."""

    def __init__(
        self,
        status: int,
        errors: Sequence[GraphQLError],
        *,
        cost: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(errors[0].message)
        # A request error has no `data` at all (GraphQL section 7.1).
        payload = {"errors": [error.formatted for error in errors]}
        self.answer = GraphQLAnswer(status, payload, cost, headers or {})


def refusal(status: int, code: Code, message: str) -> HttpReply:
    """A refusal before the request counts: no quota headers."""
    return as_json({"errors": [RejectionError(code, message).formatted]}, status=status)


def as_json(
    payload: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpReply:
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return HttpReply(status, {**kind, **(headers or {})}, orjson.dumps(payload))


def problems(error: ValidationError) -> str:
    """A line for each mistake in a body, with its key."""
    return "\n".join(
        ": ".join(filter(None, [".".join(map(str, detail["loc"])), detail["msg"]]))
        for detail in error.errors(include_url=False)
    )


def executed(result: ExecutionResult) -> dict[str, Any]:
    """What ran, as GraphQL's answer (section 7.1)."""
    formatted: dict[str, Any] = {"data": result.data}
    if result.errors:
        formatted["errors"] = [_shown(error).formatted for error in result.errors]
    return formatted


def _shown(error: GraphQLError) -> GraphQLError:
    if "code" in (error.extensions or {}):
        return error
    # No resolver meant to say this: ours, so its words stay in the log.
    _log.error("emulator.bug", path=error.path, exc_info=error.original_error)
    return GraphQLError(
        "the emulator failed at this field; its log says how",
        error.nodes,
        path=error.path,
        extensions={"code": Code.INTERNAL_SERVER_ERROR.value},
    )


def quota_headers(reading: QuotaReading, *, now: float, cost: int, limit: int) -> dict[str, str]:
    """The published headers. `now` is in Unix seconds; the reset is rounded up to whole ones."""
    return {
        "X-RateLimit-Remaining": str(reading.points_left),
        "X-RateLimit-Reset": str(whole_seconds(now + (reading.resets_in or 0.0))),
        "X-Complexity-Cost": str(cost),
        "X-Complexity-Limit": str(limit),
    }


def whole_seconds(seconds: float) -> int:
    """Rounded up, but not for the noise of floating point."""
    return math.ceil(round(seconds, 6))
