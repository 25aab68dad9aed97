"""The activities, agents and about resources (xAPI 1.0.3 Part 3 sections 2.5, 2.4 and 2.8)."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import TypeAdapter, ValidationError

from pointsman.sources.http.errors import json_response
from pointsman.sources.http.lrs.endpoint import HEADER, SUPPORTED, LrsRequest
from pointsman.sources.http.lrs.statement_search import StatementSearch, body_of
from pointsman.statements import Query
from pointsman.statements.actor_identity import identity
from pointsman.statements.actors import AnyActor
from pointsman.statements.person_and_activity import merged_activity, merged_person
from pointsman.store.base import Search, StatementStore

#: the newest statements that are asked what an activity or a person is
_MOST = 100
_ACTOR = TypeAdapter(AnyActor)
#: an extension of about: what one request may hold
LIMITS = "tag:pointsman,2026:limits"


class ActivitiesAgents:
    """Both are put together from what the newest statements say."""

    def __init__(self, store: StatementStore, authority_home_page: str) -> None:
        self._search = StatementSearch(store, authority_home_page)

    async def activity(self, call: LrsRequest) -> web.Response:
        activity_id = call.parameters.activity_id or ""
        query = Query(activity=activity_id, related_activities=True)
        page = await self._search.find(query, Search(query.keys()), _MOST)
        statements = [body_of(stored) for stored in reversed(page.statements)]
        return json_response(merged_activity(activity_id, statements))

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


def about(max_body_bytes: int) -> Handler:
    """Open to everybody, without a version header.

    A client that says to speak 1.0.x is told of those versions only: PyPI's tincan fails on 2.0.0.
    """

    async def handle(request: web.Request) -> web.Response:
        old = request.headers.get(HEADER, "").startswith("1.")
        versions = [version for version in SUPPORTED if version.startswith("1.") or not old]
        limits = {"max_body_bytes": max_body_bytes}
        return json_response({"version": versions, "extensions": {LIMITS: limits}})

    return handle
