"""The statements resource (xAPI Part 3 section 2.1), as far as this version has it.

POST and PUT answer after the commit. GET finds one statement by its id.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, Protocol

from aiohttp import web

from pointsman.clock import MICROSECONDS, Clock
from pointsman.errors import InputRefused, StatementConflict
from pointsman.sources.http.auth import Authenticator
from pointsman.sources.http.body import BodyLimits, check_kind, read_body
from pointsman.sources.http.errors import RequestRefused, json_response
from pointsman.sources.http.version import HEADER, negotiate
from pointsman.statements import StatementsRefused
from pointsman.store.base import StoredStatement

#: the source of the request under way, once that is known; a connection's requests share a task,
#: so whoever reads it clears it first
current_source: ContextVar[str] = ContextVar("current_source", default="")
_CONSISTENT = "X-Experience-API-Consistent-Through"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class HttpIntake(Protocol):
    """The intake, as this resource sees it."""

    async def submit_http(
        self, source: str, body: bytes, *, put_id: str | None = None
    ) -> list[str]: ...


class Statements:
    """`on_refused` is told of the statements of a source that were turned away."""

    def __init__(
        self,
        *,
        intake: HttpIntake,
        find_statement: Callable[[str], Awaitable[StoredStatement | None]],
        render: Callable[..., dict[str, Any]],
        authenticator: Authenticator,
        limits: BodyLimits,
        on_refused: Callable[[str, int], None],
        clock: Clock,
        authority_home_page: str,
    ) -> None:
        self._intake = intake
        self._find = find_statement
        self._render = render
        self._authenticator = authenticator
        self._limits = limits
        self._on_refused = on_refused
        self._clock = clock
        self._home_page = authority_home_page

    async def post(self, request: web.Request) -> web.Response:
        source = self._admit(request)
        if "method" in request.query:
            raise RequestRefused(400, "the alternate request syntax (?method=) is not supported")
        return json_response(await self._submit(request, source, None))

    async def put(self, request: web.Request) -> web.Response:
        source = self._admit(request)
        await self._submit(request, source, _statement_id(request))
        return web.Response(status=204)

    async def get(self, request: web.Request) -> web.Response:
        """Also HEAD, whose body aiohttp leaves out."""
        self._admit(request)
        if "statementId" not in request.query:
            raise RequestRefused(400, "this version gets a statement by its statementId only")
        statement_id = _statement_id(request)
        # A statement is stored before its POST is answered, so all is consistent up to now.
        headers = {_CONSISTENT: _timestamp(self._clock.now())}
        found = await self._find(statement_id)
        if found is None:
            raise RequestRefused(404, f"there is no statement {statement_id}", headers=headers)
        statement = self._render(
            found.body,
            found.index,
            statement_id=found.statement_id,
            stored_at=found.stored_at,
            source=found.source,
            authority_home_page=self._home_page,
        )
        headers["Last-Modified"] = formatdate(found.stored_at // MICROSECONDS, usegmt=True)
        return json_response(statement, headers=headers)

    def _admit(self, request: web.Request) -> str:
        """Who sends, asked before anything else of the request is looked at."""
        source = self._authenticator.source(request.headers.get("Authorization"))
        current_source.set(source)
        negotiate(request.headers.get(HEADER))
        return source

    async def _submit(self, request: web.Request, source: str, put_id: str | None) -> list[str]:
        check_kind(request)
        body = await read_body(request, self._limits)
        try:
            return await self._intake.submit_http(source, body, put_id=put_id)
        except (InputRefused, StatementConflict) as error:
            self._on_refused(source, _turned_away(error))
            raise


def _statement_id(request: web.Request) -> str:
    """The parameter in lower case, as ids are stored."""
    given = request.query.getall("statementId", [])
    if not given:
        raise RequestRefused(400, "the query parameter statementId is missing")
    if len(given) > 1:
        raise RequestRefused(400, "the query parameter statementId must be given once")
    statement_id = given[0].lower()
    if not _UUID.fullmatch(statement_id):
        raise RequestRefused(400, "the query parameter statementId must be a UUID")
    return statement_id


def _turned_away(error: InputRefused | StatementConflict) -> int:
    """The statements at fault; a body that can't be read at all counts as one."""
    match error:
        case StatementsRefused():
            return len({problem.index for problem in error.problems})
        case StatementConflict():
            return len(error.statement_ids)
        case _:
            return 1


def _timestamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
