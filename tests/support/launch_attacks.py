"""Requests that somebody with one launch's credentials might send to every route of the table.

Each names what belongs to others: their agent, activity, registration, statement, documents.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from pointsman.sources.http.lrs.resources import TABLE, WITH_ONE_STATEMENT, MethodRules, Resource
from pointsman.sources.http.routes import (
    ABOUT,
    CMI5_FETCH,
    CMI5_WAIVE,
    CONFIRMATION,
    HEALTHZ,
    HOME,
    LAUNCH,
    METRICS,
    OPERATOR_HOME,
    POSTBACK,
    READYZ,
    RECEIPT,
    ROUTES,
    SCORM_COMMIT,
    SCORM_DATA,
    UI,
    WEBHOOK,
    XAPI,
    Route,
)
from tests.support.running_daemon import ADL

_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
_XAPI_STATUSES = frozenset({200, 204, 400, 403, 404, 405, 409, 412, 413})
_OPEN = frozenset({200, 405})
#: what a launched player may be answered by each route; another one has no place in the table yet
EXPECTED: dict[Route, frozenset[int]] = {
    **dict.fromkeys(XAPI.values(), _XAPI_STATUSES),
    SCORM_COMMIT: frozenset({200, 400, 401, 405}),
    SCORM_DATA: frozenset({200, 401, 405}),
    CMI5_FETCH: frozenset({200, 401, 404, 405}),
    RECEIPT: frozenset({200, 403, 405}),
    # of signed systems and of operators: a launch's credential is none of theirs
    POSTBACK: frozenset({400, 401, 405, 415}),
    WEBHOOK: frozenset({400, 401, 404, 405}),
    CONFIRMATION: frozenset({400, 401, 404, 405}),
    LAUNCH: frozenset({401, 405}),
    CMI5_WAIVE: frozenset({401, 404, 405}),
    # there without keys of the page's own, which no launch has
    **dict.fromkeys(UI.values(), frozenset({404})),
    **dict.fromkeys((ABOUT, HOME, OPERATOR_HOME, HEALTHZ, READYZ, METRICS), _OPEN),
}


@dataclass(frozen=True, slots=True)
class Holdings:
    """What can be named in a request: the attacker's own, and others'."""

    #: headers Authorization, and credentials for a path
    authorizations: tuple[str, ...]
    tokens: tuple[str, ...]
    agents: tuple[dict[str, Any], ...]
    activities: tuple[str, ...]
    registrations: tuple[str, ...]
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Attack:
    route: Route
    method: str
    #: with its query, as it is sent
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __repr__(self) -> str:
        """Short, for hypothesis shows all that were drawn together."""
        return f"{self.method} {self.target[:40]}"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def whole(self) -> str:
        return f"{self.method} {self.target} {self.headers} {self.body!r}"


def attacks(holdings: Holdings, route: Route) -> st.SearchStrategy[Attack]:
    """Requests to this route, with every method."""
    resource = next((resource for resource, known in XAPI.items() if known == route), None)
    queries = {method: _queries(holdings, resource, method) for method in _METHODS}
    bodies = _bodies(holdings, resource)
    methods, paths = st.sampled_from(_METHODS), st.sampled_from(route.paths)
    authorizations = st.sampled_from(holdings.authorizations)
    versions = st.sampled_from(["1.0.3", "2.0.0"])
    conditions = st.sampled_from([{}, {}, {"If-Match": "*"}, {"If-None-Match": "*"}])
    placeholders = {
        name: st.sampled_from(values)
        for name, values in (
            ("{token}", holdings.tokens),
            ("{registration}", holdings.registrations),
            ("{source}", ("lms",)),
        )
        if name in route.path
    }

    @st.composite
    def attack(draw: st.DrawFn) -> Attack:
        method, path = draw(methods), draw(paths)
        for name, values in placeholders.items():
            path = path.replace(name, quote(draw(values), safe=""))
        query = draw(queries[method])
        body = draw(bodies) if method in {"POST", "PUT"} else b""
        headers = {
            "Authorization": draw(authorizations),
            "X-Experience-API-Version": draw(versions),
            "Content-Type": "application/json",
        } | draw(conditions)
        if resource is not None and draw(st.integers(0, 4)) == 0:
            form = urlencode({**query, "content": body.decode()} | headers)
            return Attack(
                route,
                "POST",
                f"{path}?method={method}",
                {"Content-Type": "application/x-www-form-urlencoded"},
                form.encode(),
            )
        return Attack(route, method, f"{path}?{urlencode(query)}", headers, body)

    return attack()


def _queries(
    holdings: Holdings, resource: Resource | None, method: str
) -> st.SearchStrategy[dict[str, str]]:
    """The parameters that the table has for it, and now and then one that it has not."""
    values = _values(holdings)
    rules = TABLE.get(resource, {}).get("GET" if method == "HEAD" else method) if resource else None
    rules = rules or MethodRules(frozenset(), frozenset(values))
    required = {name: values[name] for name in sorted(rules.required)}
    alone = {"statementId", "voidedStatementId"} & rules.optional
    optional = {name: values[name] for name in sorted(rules.optional - alone)}
    queries = [st.fixed_dictionaries(required, optional=optional)]
    for name in sorted(alone):  # nothing else may stand beside it
        beside = {other: values[other] for other in sorted(WITH_ONE_STATEMENT - alone)}
        queries.append(st.fixed_dictionaries({name: values[name]}, optional=beside))
    return st.one_of(queries)


def _values(holdings: Holdings) -> dict[str, st.SearchStrategy[str]]:
    """Values of every parameter of the table."""
    yes = st.sampled_from(["true", "false"])
    ids, activities = st.sampled_from(holdings.statements), st.sampled_from(holdings.activities)
    names = st.sampled_from(["s", "LMS.LaunchData", "cmi5LearnerPreferences"])
    return {
        "agent": st.sampled_from([json.dumps(agent) for agent in holdings.agents]),
        "activityId": activities,
        "activity": activities,
        "registration": st.sampled_from(holdings.registrations),
        "stateId": names,
        "profileId": names,
        "statementId": ids,
        "voidedStatementId": ids,
        "verb": st.just(f"{ADL}experienced"),
        "related_activities": yes,
        "related_agents": yes,
        "attachments": yes,
        "ascending": yes,
        "since": st.just("2020-01-01T00:00:00Z"),
        "until": st.just("2090-01-01T00:00:00Z"),
        "limit": st.sampled_from(["0", "1", "50"]),
        "format": st.sampled_from(["ids", "exact", "canonical"]),
        "cursor": st.sampled_from(["0.0", "1.0", "999999.0"]),
    }


def _bodies(holdings: Holdings, resource: Resource | None) -> st.SearchStrategy[bytes]:
    if resource is Resource.STATEMENTS:
        return _statement_bodies(holdings).map(lambda value: json.dumps(value).encode())
    launch = {"learner": "ben@example.com", "activity": holdings.activities[0]}
    commit = {"cmi": {"core": {"lesson_status": "completed"}, "suspend_data": "mine"}}
    values = [{"mine": 1}, launch, commit, {"reason": "Administrative"}]
    return st.sampled_from([json.dumps(value).encode() for value in values])


def _statement_bodies(holdings: Holdings) -> st.SearchStrategy[Any]:
    agents, activities = st.sampled_from(holdings.agents), st.sampled_from(holdings.activities)
    ids = st.sampled_from(holdings.statements)
    activity = st.fixed_dictionaries({"id": activities})
    reference = st.fixed_dictionaries({"objectType": st.just("StatementRef"), "id": ids})
    context = st.fixed_dictionaries(
        {},
        optional={
            "registration": st.sampled_from(holdings.registrations),
            "instructor": agents,
            "statement": reference,
            "contextActivities": st.fixed_dictionaries({"parent": activity}),
        },
    )
    # mostly the attacker's own, or little of it would be taken
    actors = st.one_of(st.just(holdings.agents[0]), agents)
    own = st.just({"id": holdings.activities[0]})
    verbs = st.sampled_from(["experienced", "completed", "initialized"])
    stated = st.fixed_dictionaries(
        {
            "actor": actors,
            "verb": verbs.map(lambda verb: {"id": f"{ADL}{verb}"}),
            "object": st.one_of(own, activity),
        },
        optional={"context": context},
    )
    void = {"actor": actors, "verb": st.just({"id": f"{ADL}voided"}), "object": reference}
    voiding = st.fixed_dictionaries(void)
    taken = st.tuples(stated, ids).map(lambda drawn: {**drawn[0], "id": drawn[1]})
    about_agent = st.tuples(stated, agents).map(
        lambda drawn: {**drawn[0], "object": {"objectType": "Agent", **drawn[1]}}
    )
    one = st.one_of(stated, stated, voiding, taken, about_agent)
    return st.one_of(one, st.lists(one, min_size=1, max_size=2))


def unexpected_routes() -> set[Route]:
    """Routes that the table of expectations does not speak of, and the other way round."""
    return set(ROUTES) ^ set(EXPECTED)
