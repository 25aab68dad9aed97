"""What a query finds: 1.0.3 Part 3 section 2.1.3, 2.0 section 4.1.6.1."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.http_endpoint import STATEMENTS, Endpoint
from tests.support.xapi_factory import (
    ANA,
    ATTEMPTED,
    BEN,
    COMPLETED,
    LESSON,
    about,
    new_id,
    statement,
    sub,
)

GROUP = {"objectType": "Group", "mbox": "mailto:team@example.com", "member": [BEN]}
OTHER = "http://example.com/other"
REGISTRATION = new_id()
EXTRA = {"mbox": "mailto:eva@example.com"}


def agent(one: dict[str, Any]) -> str:
    return json.dumps(one)


#: what is stored, and which queries must find it
CASES: dict[str, tuple[dict[str, Any], list[dict[str, str]]]] = {
    "the actor": ({"actor": EXTRA}, [{"agent": agent(EXTRA)}]),
    "the actor, spelt otherwise": (
        {"actor": {"mbox": "mailto:Eva@Example.com", "name": "Eva"}},
        [{"agent": agent({"objectType": "Agent", **EXTRA})}],
    ),
    "an actor by account": ({"actor": BEN}, [{"agent": agent(BEN)}]),
    "an actor by hash": (
        {"actor": {"mbox_sha1sum": "AB" * 20}},
        [{"agent": agent({"mbox_sha1sum": "ab" * 20})}],
    ),
    "an actor by openid": (
        {"actor": {"openid": "http://e.com/eva"}},
        [{"agent": agent({"openid": "http://e.com/eva"})}],
    ),
    "a group and its members": (
        {"actor": GROUP},
        [{"agent": agent({"objectType": "Group", "mbox": GROUP["mbox"]})}, {"agent": agent(BEN)}],
    ),
    "an agent as the object": (
        {"object": {"objectType": "Agent", **EXTRA}},
        [{"agent": agent(EXTRA)}],
    ),
    "a verb": ({"verb": {"id": "http://e.com/v"}}, [{"verb": "http://e.com/v"}]),
    "an activity": ({"object": {"id": OTHER}}, [{"activity": OTHER}]),
    "a registration": (
        {"context": {"registration": REGISTRATION.upper()}},
        [{"registration": REGISTRATION}, {"registration": REGISTRATION.upper()}],
    ),
    "all at once": (
        {
            "actor": EXTRA,
            "verb": {"id": "http://e.com/v"},
            "object": {"id": OTHER},
            "context": {"registration": REGISTRATION},
        },
        [
            {
                "agent": agent(EXTRA),
                "verb": "http://e.com/v",
                "activity": OTHER,
                "registration": REGISTRATION,
                "related_agents": "true",
                "related_activities": "true",
            }
        ],
    ),
}
#: what only the related_ switches find
RELATED: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "instructor": ({"context": {"instructor": EXTRA}}, {"agent": agent(EXTRA)}),
    "team": (
        {"context": {"team": {**GROUP, "member": [EXTRA]}}},
        {"agent": agent(EXTRA)},
    ),
    "actor inside": ({"object": sub(actor=EXTRA)}, {"agent": agent(EXTRA)}),
    "object inside": (
        {"object": sub(object={"objectType": "Agent", **EXTRA})},
        {"agent": agent(EXTRA)},
    ),
    "instructor inside": (
        {"object": sub(context={"instructor": EXTRA})},
        {"agent": agent(EXTRA)},
    ),
    "context agent": (
        {"context": {"contextAgents": [{"objectType": "contextAgent", "agent": EXTRA}]}},
        {"agent": agent(EXTRA)},
    ),
    "context group": (
        {
            "context": {
                "contextGroups": [
                    {"objectType": "contextGroup", "group": {**GROUP, "member": [EXTRA]}}
                ]
            }
        },
        {"agent": agent(EXTRA)},
    ),
    **{
        kind: ({"context": {"contextActivities": {kind: [{"id": OTHER}]}}}, {"activity": OTHER})
        for kind in ("parent", "grouping", "category", "other")
    },
    "activity inside": ({"object": sub(object={"id": OTHER})}, {"activity": OTHER}),
    "parent inside": (
        {"object": sub(context={"contextActivities": {"parent": {"id": OTHER}}})},
        {"activity": OTHER},
    ),
}


@pytest.mark.parametrize(("changes", "queries"), CASES.values(), ids=CASES)
async def test_a_query_finds_what_has_it_and_nothing_else(
    endpoint: Endpoint, changes: dict[str, Any], queries: list[dict[str, str]]
) -> None:
    """agent, verb, activity, registration."""
    await endpoint.post(statement())
    (name,) = await endpoint.post(statement(**changes))
    await endpoint.post(statement())
    for query in queries:
        assert await endpoint.found(**query) == [name]


@pytest.mark.parametrize(("changes", "query"), RELATED.values(), ids=RELATED)
async def test_related_agents_and_activities(
    endpoint: Endpoint, changes: dict[str, Any], query: dict[str, str]
) -> None:
    """related_agents, related_activities."""
    (name,) = await endpoint.post(statement(**changes))
    await endpoint.post(statement())
    switch = "related_agents" if "agent" in query else "related_activities"
    assert await endpoint.found(**query) == []
    assert await endpoint.found(**query, **{switch: "false"}) == []
    assert await endpoint.found(**query, **{switch: "true"}) == [name]


async def test_the_authority_is_a_related_agent(endpoint: Endpoint) -> None:
    """related_agents."""
    (name,) = await endpoint.post(statement())
    ours = {"account": {"homePage": "https://learn.example.com", "name": "players"}}
    assert await endpoint.found(agent=agent(ours)) == []
    assert await endpoint.found(agent=agent(ours), related_agents="true") == [name]


async def test_since_and_until(endpoint: Endpoint) -> None:
    """Since is exclusive, until inclusive, and both are about stored."""
    ids = [(await endpoint.post(statement()))[0] for _ in range(3)]
    shown = (await (await endpoint.send("GET", STATEMENTS)).json())["statements"]
    middle = shown[1]["stored"]
    assert await endpoint.found(since=middle) == [ids[2]]
    assert await endpoint.found(until=middle) == [ids[1], ids[0]]
    assert await endpoint.found(since=middle, until=middle) == []
    assert await endpoint.found(since="2001-01-01T00:00:00Z", verb=COMPLETED) == ids[::-1]
    assert await endpoint.found(until="2001-01-01T00:00:00+01:00") == []


async def test_what_is_about_a_match_matches_too(endpoint: Endpoint) -> None:
    """2.1.3, StatementRefs: through any number of them, whichever came first."""
    target, first, second = new_id(), new_id(), new_id()
    await endpoint.post(about(first, ATTEMPTED, id=second, actor=BEN))
    await endpoint.post(about(target, ATTEMPTED, id=first, actor=BEN))
    await endpoint.post(statement(id=target, actor=EXTRA))
    assert set(await endpoint.found(agent=agent(EXTRA))) == {target, first, second}
    assert set(await endpoint.found(agent=agent(BEN))) == {first, second}
    assert set(await endpoint.found(activity=LESSON, verb=COMPLETED)) == {target, first, second}
    # each statement of the chain is judged by itself: none has both
    assert await endpoint.found(agent=agent(BEN), verb=COMPLETED) == []


async def test_formats(endpoint: Endpoint) -> None:
    """Format ids and canonical."""
    names = {"en-US": "Lesson", "de": "Lektion"}
    sent = statement(
        actor={**ANA, "name": "Ana"},
        verb={"id": COMPLETED, "display": {"en": "completed", "de": "beendete"}},
        object={
            "objectType": "Activity",
            "id": LESSON,
            "definition": {
                "name": names,
                "description": names,
                "type": "http://e.com/type",
                "interactionType": "choice",
                "choices": [{"id": "a", "description": names}],
            },
        },
        context={
            "instructor": {**BEN, "name": "Ben"},
            "team": {"objectType": "Group", "name": "us", "member": [{**ANA, "name": "Ana"}]},
            "contextActivities": {"parent": {"id": OTHER, "definition": {"name": names}}},
        },
    )
    await endpoint.post(sent)

    async def shown(**more: str) -> dict[str, Any]:
        answer = await endpoint.send("GET", STATEMENTS, statementId=sent["id"], **more)
        found: dict[str, Any] = await answer.json()
        return found

    ids = await shown(format="ids")
    assert ids["actor"] == {"objectType": "Agent", **ANA}
    assert ids["verb"] == {"id": COMPLETED}
    assert ids["object"] == {"id": LESSON}
    assert ids["context"] == {
        "instructor": {"objectType": "Agent", **BEN},
        "team": {"objectType": "Group", "member": [{"objectType": "Agent", **ANA}]},
        "contextActivities": {"parent": [{"id": OTHER}]},
    }
    german = await shown(format="canonical", Accept_Language="fr, en;q=0.3, de-AT;q=0.8")
    assert german["verb"]["display"] == {"de": "beendete"}
    definition = german["object"]["definition"]
    assert (definition["name"], definition["description"]) == ({"de": "Lektion"},) * 2
    assert definition["type"] == "http://e.com/type"
    assert definition["choices"] == [{"id": "a", "description": {"de": "Lektion"}}]
    parent = german["context"]["contextActivities"]["parent"][0]
    assert parent["definition"]["name"] == {"de": "Lektion"}
    english = await shown(format="canonical", Accept_Language="en")
    assert english["object"]["definition"]["name"] == {"en-US": "Lesson"}
    any_language = await shown(format="canonical")
    assert len(any_language["verb"]["display"]) == 1
    listed = await (await endpoint.send("GET", STATEMENTS, format="ids")).json()
    assert listed["statements"] == [ids]


async def test_a_long_list_is_complete(one: Endpoint) -> None:
    """limit: the server's own is 200."""
    ids = []
    for _ in range(5):
        ids += await one.post([statement() for _ in range(90)])
    assert await one.found() == ids[::-1]
    page = await (await one.send("GET", STATEMENTS, limit="100000")).json()
    assert len(page["statements"]) == 200
