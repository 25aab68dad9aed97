"""The activities and agents resources (xAPI 1.0.3 Part 3 sections 2.5 and 2.4)."""

from __future__ import annotations

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from pointsman.sources.http.errors import json_response
from pointsman.sources.http.lrs.request import LrsRequest
from pointsman.sources.http.lrs.statement_search import StatementSearch, StatementStore, body_of
from pointsman.statements import Query
from pointsman.statements.actor_identity import identity
from pointsman.statements.actors import AnyActor
from pointsman.statements.person_and_activity import merged_activity, merged_person
from pointsman.store.base import Search

#: the newest statements that are asked what an activity or a person is
_MOST = 100
_ACTOR = TypeAdapter(AnyActor)


class ActivitiesAgents:
    """Both are put together from what the newest statements say."""

    def __init__(self, store: StatementStore, authority_home_page: str) -> None:
        self._finder = StatementSearch(store, authority_home_page)

    async def activity(self, call: LrsRequest) -> web.Response:
        activity_id = call.parameters.activity_id or ""
        query = Query(activity=activity_id, related_activities=True)
        found = await self._finder.find(query, Search(query.keys()), _MOST)
        statements = [body_of(one) for one in reversed(found.statements)]
        return json_response(merged_activity(activity_id, statements))

    async def person(self, call: LrsRequest) -> web.Response:
        agent = call.parameters.agent
        if agent is None:  # the table asks for it
            raise AssertionError
        query = Query(agent=agent.identity)
        found = await self._finder.find(query, Search(query.keys()), _MOST)
        actors = [body_of(one)["actor"] for one in found.statements]
        names = [one["name"] for one in actors if "name" in one and _is(one, agent.identity)]
        return json_response(merged_person(agent.given, names))


def _is(actor: object, wanted: str) -> bool:
    try:
        return identity(_ACTOR.validate_python(actor)) == wanted
    except ValidationError:
        return False
