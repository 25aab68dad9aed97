"""Turns errors into answers: one JSON shape for everything that goes wrong.

    {"error": {"status": 400, "reason": "…",
               "problems": [{"statement": 3, "id": "…", "field": "actor.mbox", "rule": "…"}]}}

`statement` is the place in the batch, null for a single statement; `problems` is empty when the
request as a whole is at fault.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from aiohttp import HttpVersion10, HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time

from pointsman.domain.errors import (
    Forbidden,
    InputRefused,
    Refuse,
    StatementConflict,
    StoreUnavailable,
    Unauthorized,
)
from pointsman.statements import JSON, Problem, StatementsRefused

log = structlog.get_logger(__name__)

#: where a request keeps why it was refused
REASON = web.RequestKey("reason", str)
#: seconds until a sender should try again while the store is away
RETRY_AFTER = "2"
_TO_JSON = json.JSONEncoder(separators=(",", ":")).encode
CHALLENGE = 'Basic realm="xapi", charset="UTF-8", Bearer realm="xapi"'


class RequestRefused(Refuse):
    """A request that is answered with `status` and `reason`.

    `close` ends the connection after the answer, for a body that nobody is going to read.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        headers: Mapping[str, str] | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = dict(headers or {})
        self.close = close


def too_many_tries(of_what: str, wait: float) -> RequestRefused:
    """For a sender that has to wait `wait` seconds: too many `of_what` of it were not known."""
    return RequestRefused(
        429,
        f"too many {of_what} were tried that are not known here; wait as Retry-After says",
        headers={"Retry-After": str(math.ceil(wait))},
    )


class JsonAnswer(web.Response):
    """Has its head made in one step, for nothing of it is to be found out."""

    async def _start(self, request: web.BaseRequest) -> AbstractStreamWriter:
        if self._must_be_empty_body or self._cookies:
            return await super()._start(request)
        version, headers = request.version, self._headers
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        headers[hdrs.CONTENT_LENGTH] = str(self.content_length)
        headers[hdrs.DATE] = rfc822_formatted_time()
        if not self._keep_alive and version == HttpVersion11:
            headers[hdrs.CONNECTION] = "close"
        elif self._keep_alive and version == HttpVersion10:
            headers[hdrs.CONNECTION] = "keep-alive"
        self._req = request
        self._payload_writer = writer = request.writer
        status_line = f"HTTP/{version.major}.{version.minor} {self.status} {self.reason}"
        await writer.write_headers(status_line, headers)
        return writer


def json_response(
    value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Any JSON, in ASCII: senders' texts may hold what UTF-8 can't (lone surrogates)."""
    body = _TO_JSON(value).encode("ascii")
    return JsonAnswer(body=body, status=status, headers=headers, content_type=JSON)


def ids_response(ids: Sequence[str]) -> web.Response:
    """Ids of statements, as JSON."""
    return JsonAnswer(body=orjson.dumps(ids), content_type=JSON)


def no_content() -> web.Response:
    return web.Response(status=204)


def error_response(
    status: int,
    reason: str,
    problems: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    shown = [
        {
            "statement": problem.index,
            "id": problem.statement_id,
            "field": problem.field,
            "rule": problem.rule,
        }
        for problem in problems
    ]
    error = {"status": status, "reason": reason, "problems": shown}
    return json_response({"error": error}, status=status, headers=headers)


def answer(request: web.Request, error: Exception) -> web.Response:
    """The answer to a request that failed so; a bug is logged, and the rest by who is told of it.

    The request keeps the reason.
    """
    request[REASON] = str(error)
    match error:
        case web.HTTPException():
            return answer_of_router(error)
        case RequestRefused():
            response = error_response(error.status, error.reason, headers=error.headers)
            if error.close:
                response.force_close()
            return response
        case Unauthorized():
            return error_response(401, str(error), headers={"WWW-Authenticate": CHALLENGE})
        case StatementsRefused():
            return error_response(400, str(error), error.problems)
        case InputRefused():
            return error_response(400, str(error))
        case Forbidden():
            return error_response(403, str(error))
        case StatementConflict():
            return error_response(409, str(error))
        case StoreUnavailable():
            return error_response(503, str(error), headers={"Retry-After": RETRY_AFTER})
        case _:
            error_id = str(uuid.uuid4())
            log.error(
                "a request failed for a reason of ours",
                error_id=error_id,
                method=request.method,
                path=_path(request),
                next="report it with the traceback; the sender was told the error_id",
                exc_info=error,
            )
            return error_response(500, f"an error of this service; its log has it as {error_id}")


def _path(request: web.Request) -> str:
    """As its route is written, for in some the path holds a credential."""
    resource = request.match_info.route.resource
    return request.path if resource is None else resource.canonical


def answer_of_router(error: web.HTTPException) -> web.Response:
    """The answer to what the router raises: 404, and 405 with its Allow."""
    match error:
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            reason = f"{error.method} is not possible here; allowed: {allowed}"
            return error_response(405, reason, headers={"Allow": allowed})
        case web.HTTPNotFound():
            return error_response(
                404, "there is nothing at this path; a player's endpoint ends with /xapi, see GET /"
            )
        case _:
            return error_response(error.status, HTTPStatus(error.status).phrase)
