"""The activities, agents and about resources (xAPI 1.0.3 Part 3 sections 2.5, 2.4 and 2.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import TypeAdapter, ValidationError

from pointsman.sources.http.body import UNKNOWN_BYTES, BodyLimits, read_body
from pointsman.sources.http.errors import json_response
from pointsman.sources.http.lrs.alternate_syntax import RawRequest, read_alternate
from pointsman.sources.http.lrs.endpoint import HEADER, SUPPORTED, LrsRequest, is_alternate
from pointsman.sources.http.lrs.statement_search import StatementSearch, body_of
from pointsman.statements import Query, authority_key
from pointsman.statements.actor_identity import identity
from pointsman.statements.actors import AnyActor
from pointsman.statements.person_and_activity import merged_activity, merged_person
from pointsman.store.base import (
    DocumentKey,
    DocumentStore,
    Search,
    StatementStore,
    StoredStatement,
)

#: the newest statements of a source that are asked what an activity is, or what a person is called
_MOST = 100
_ACTOR = TypeAdapter(AnyActor)
#: an extension of about: what one request may hold
LIMITS = "tag:pointsman,2026:limits"
#: for a form that asks for about
_FORM_SECONDS = 30.0
#: methods of about
READ = ("GET", "HEAD")


class ActivitiesAgents:
    """Both are put together from what the newest statements say.

    What an activity is, only the `defining_sources` say, and the launches that describe it, which
    have the last word. What a launched player says of it would be shown to every other learner.
    """

    def __init__(
        self,
        store: StatementStore,
        documents: DocumentStore,
        authority_home_page: str,
        defining_sources: Sequence[str],
    ) -> None:
        self._search = StatementSearch(store, authority_home_page)
        self._documents = documents
        self._home_page = authority_home_page
        self._defining_sources = tuple(sorted(defining_sources))

    async def activity(self, call: LrsRequest) -> web.Response:
        activity_id = call.parameters.activity_id or ""
        defining = [
            stored
            for source in self._defining_sources
            for stored in await self._newest_of(source, activity_id)
        ]
        defining.sort(key=lambda stored: stored.stored_at)
        statements = [body_of(stored) for stored in defining]
        described = await self._documents.document(DocumentKey("activity", activity_id))
        if described is not None:
            definition = orjson.loads(described.content)
            statements.append({"object": {"id": activity_id, "definition": definition}})
        return json_response(merged_activity(activity_id, statements))

    async def _newest_of(self, source: str, activity_id: str) -> list[StoredStatement]:
        """Looked for by source, so that others' statements take nobody's place; oldest first."""
        query = Query(activity=activity_id, related_activities=True)
        keys = (*query.keys(), authority_key(self._home_page, source))
        page = await self._search.find(query, Search(keys), _MOST)
        return [stored for stored in reversed(page.statements) if stored.source == source]

    async def person(self, call: LrsRequest) -> web.Response:
        agent = call.parameters.agent
        if agent is None:  # the table asks for it
            raise AssertionError
        query = Query(agent=agent.identity)
        page = await self._search.find(query, Search(query.keys()), _MOST)
        actors = [body_of(stored)["actor"] for stored in page.statements]
        names = [
            actor["name"] for actor in actors if "name" in actor and _is(actor, agent.identity)
        ]
        return json_response(merged_person(agent.json, names))


def _is(actor: object, wanted: str) -> bool:
    try:
        return identity(_ACTOR.validate_python(actor)) == wanted
    except ValidationError:
        return False


async def _read_form(request: web.Request) -> RawRequest | None:
    """What the alternate syntax asks for, where it is that. Raises `RequestRefused`."""
    if not is_alternate(request):
        return None
    limits = BodyLimits(UNKNOWN_BYTES, _FORM_SECONDS)
    return await read_alternate(request, lambda: read_body(request, limits, known=False))


def about(max_body_bytes: int) -> Handler:
    """Open to everybody, without a version header.

    A client that says to speak 1.0.x is told of those versions only: PyPI's tincan fails on 2.0.0.
    """

    async def handle(request: web.Request) -> web.Response:
        headers: Mapping[str, str] = request.headers
        if request.method == "POST":
            raw = await _read_form(request)
            if raw is None or raw.method not in READ:
                raise web.HTTPMethodNotAllowed(request.method, READ)
            headers = raw.headers
        old = headers.get(HEADER, "").startswith("1.")
        versions = [version for version in SUPPORTED if version.startswith("1.") or not old]
        limits = {"max_body_bytes": max_body_bytes}
        return json_response({"version": versions, "extensions": {LIMITS: limits}})

    return handle
