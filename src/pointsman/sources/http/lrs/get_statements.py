"""Answers GET of statements: one by id, or all that match a query (1.0.3 Part 3 section 2.1.3)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from email.utils import formatdate
from functools import partial
from typing import Any
from urllib.parse import urlencode

import orjson
from aiohttp import web
from aiohttp.payload import AsyncIterablePayload

from pointsman.domain.clock import MICROSECONDS
from pointsman.domain.launch import same_actor
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.lrs.endpoint import LrsRequest
from pointsman.sources.http.lrs.parameters import Parameters
from pointsman.sources.http.lrs.resources import Resource
from pointsman.sources.http.lrs.statement_search import (
    StatementSearch,
    actor_in,
    in_turns,
)
from pointsman.statements import Query, render
from pointsman.statements.formats import accepted_languages, canonical_format, ids_format
from pointsman.store.base import Search, StatementPlace, StatementStore, StoredStatement

#: statements of a page; fewer where their attachments come along
MOST = 200
_MOST_WITH_DATA = 20
_ROOM = {"Content-Transfer-Encoding": "binary"}


class GetStatements:
    """The statements resource, read. `public_path` is what stands in front of /xapi outside."""

    def __init__(
        self, store: StatementStore, authority_home_page: str, public_path: str = ""
    ) -> None:
        self._public_path = public_path
        self._store = store
        self._search = StatementSearch(store, authority_home_page)
        self._home_page = authority_home_page

    async def get(self, call: LrsRequest) -> web.Response:
        parameters = call.parameters
        if parameters.statement_id is not None:
            return await self._one(call, parameters.statement_id, void=False)
        if parameters.voided_statement_id is not None:
            return await self._one(call, parameters.voided_statement_id, void=True)
        most = _MOST_WITH_DATA if parameters.attachments else MOST
        query = _query(parameters)
        search = Search(
            query.keys(),
            parameters.since,
            parameters.until,
            parameters.ascending,
            parameters.cursor,
        )
        page = await self._search.find(
            query, search, min(parameters.limit or most, most), partial(_is_theirs, call)
        )
        shown = [self._show(call, stored) async for stored in in_turns(page.statements)]
        more = (
            f"{self._public_path}{_more(call.resource, parameters, page.after)}"
            if page.after is not None
            else ""
        )
        return await self._answer(call, {"statements": shown, "more": more}, shown, {})

    async def _one(self, call: LrsRequest, statement_id: str, *, void: bool) -> web.Response:
        stored = await self._store.statement(statement_id)
        if stored is None or not _is_theirs(call, stored):
            raise RequestRefused(404, f"there is no statement {statement_id}")
        if await self._search.is_void(stored) != void:
            raise RequestRefused(
                404,
                f"statement {statement_id} is not void; ask with statementId"
                if void
                else f"statement {statement_id} is void; ask with voidedStatementId",
            )
        shown = self._show(call, stored)
        modified = formatdate(stored.stored_at // MICROSECONDS, usegmt=True)
        return await self._answer(call, shown, [shown], {"Last-Modified": modified})

    def _show(self, call: LrsRequest, stored: StoredStatement) -> dict[str, Any]:
        statement = render(
            stored.body,
            stored.index,
            statement_id=stored.statement_id,
            stored_at=stored.stored_at,
            source=stored.source,
            authority_home_page=self._home_page,
            version=stored.version,
        )
        match call.parameters.format:
            case "ids":
                return ids_format(statement)
            case "canonical":
                languages = accepted_languages(call.headers.get("Accept-Language", ""))
                return canonical_format(statement, languages)
            case _:
                return statement

    async def _answer(
        self,
        call: LrsRequest,
        result: Mapping[str, Any],
        statements: Iterable[Mapping[str, Any]],
        headers: dict[str, str],
    ) -> web.Response:
        content = orjson.dumps(result, option=orjson.OPT_NON_STR_KEYS)
        if not call.parameters.attachments:
            return web.Response(body=content, headers=headers, content_type="application/json")
        boundary = uuid.uuid4().hex
        attached = _attached(statements, only_sent=call.launch is not None)
        parts = self._parts(content, attached, boundary)
        kind = f"multipart/mixed; boundary={boundary}"
        body = AsyncIterablePayload(parts, content_type=kind)
        return web.Response(body=body, headers={**headers, "Content-Type": kind})

    async def _parts(
        self, content: bytes, sha2s: Iterable[str], boundary: str
    ) -> AsyncIterator[bytes]:
        """The statements, then data one by one: all of it at once might be too much to hold."""
        yield _part(boundary, {"Content-Type": "application/json"}, content)
        for sha2 in sha2s:
            for data in (await self._store.attachments([sha2])).values():
                headers = {
                    "Content-Type": data.content_type,
                    **_ROOM,
                    "X-Experience-API-Hash": sha2,
                }
                yield _part(boundary, headers, data.content)
        yield f"--{boundary}--\r\n".encode()


def _is_theirs(call: LrsRequest, stored: StoredStatement) -> bool:
    """A launched player finds what its own learner said."""
    if call.launch is None:
        return True
    actor = actor_in(stored)
    return actor is not None and same_actor(actor, call.launch.actor)


def _query(parameters: Parameters) -> Query:
    return Query(
        agent=parameters.agent.identity if parameters.agent is not None else None,
        verb=parameters.verb,
        activity=parameters.activity,
        registration=parameters.registration,
        related_activities=parameters.related_activities,
        related_agents=parameters.related_agents,
    )


def _more(resource: Resource, parameters: Parameters, after: StatementPlace) -> str:
    """Where the query goes on, relative to the server (xAPI Part 2 section 2.5)."""
    query = {name: value for name, value in parameters.texts.items() if name != "cursor"}
    return f"{resource}?{urlencode({**query, 'cursor': f'{after.commit}.{after.rank}'})}"


def _attached(statements: Iterable[Mapping[str, Any]], *, only_sent: bool) -> list[str]:
    """The SHA-2 of what is attached; with `only_sent` of what came with its statement for sure.

    One with a fileUrl need not have come, so who only knows the hash of what somebody else attached
    could ask for it by such a statement.
    """
    sha2s = [
        attachment["sha2"].lower()
        for statement in statements
        for part in (statement, statement["object"])
        for attachment in part.get("attachments", ())
        if not (only_sent and "fileUrl" in attachment)
    ]
    return list(dict.fromkeys(sha2s))


def _part(boundary: str, headers: Mapping[str, str], content: bytes) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"--{boundary}\r\n{head}\r\n".encode() + content + b"\r\n"
