"""Agents and activities: 1.0.3 Part 3 sections 2.4 and 2.5, 2.0 sections 4.1.6.3 and 4.1.6.4."""

from __future__ import annotations

import json

import pytest

from tests.support.http_endpoint import Endpoint
from tests.support.xapi_factory import ANA, BEN, LESSON, statement, sub

ACTIVITIES, AGENTS = "/xapi/activities", "/xapi/agents"


async def test_an_activity_is_what_statements_say_of_it(endpoint: Endpoint) -> None:
    """2.5: names of all languages, and the newest of everything else."""
    definition = {"name": {"en": "Lesson", "de": "Lekt."}, "type": "http://e.com/old"}
    await endpoint.post(statement(object={"id": LESSON, "definition": definition}))
    newer = {"name": {"de": "Lektion"}, "type": "http://e.com/new"}
    parent = {"contextActivities": {"parent": {"id": LESSON, "definition": newer}}}
    await endpoint.post(statement(object={"id": "http://e.com/x"}, context=parent))
    inner = {"id": LESSON, "definition": {"extensions": {"http://e.com/a": 1}}}
    await endpoint.post(statement(object=sub(object=inner)))
    answer = await endpoint.send("GET", ACTIVITIES, activityId=LESSON)
    assert answer.status == 200
    assert await answer.json() == {
        "objectType": "Activity",
        "id": LESSON,
        "definition": {
            "name": {"en": "Lesson", "de": "Lektion"},
            "type": "http://e.com/new",
            "extensions": {"http://e.com/a": 1},
        },
    }


async def test_an_unknown_activity_is_itself(endpoint: Endpoint) -> None:
    """2.5."""
    answer = await endpoint.send("GET", ACTIVITIES, activityId=LESSON)
    assert await answer.json() == {"objectType": "Activity", "id": LESSON}
    head = await endpoint.send("HEAD", ACTIVITIES, activityId=LESSON)
    assert (head.status, await head.read()) == (200, b"")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (ACTIVITIES, {}),
        (ACTIVITIES, {"activityId": "x"}),
        (ACTIVITIES, {"activityId": LESSON, "agent": "{}"}),
        (AGENTS, {}),
        (AGENTS, {"agent": "{"}),
        (AGENTS, {"agent": '{"mbox":"x"}'}),
        (AGENTS, {"agent": json.dumps(ANA), "foo": "1"}),
    ],
)
async def test_parameters_that_are_wrong_are_refused(
    endpoint: Endpoint, path: str, query: dict[str, str]
) -> None:
    assert (await endpoint.send("GET", path, **query)).status == 400


async def test_a_person_has_an_array_of_everything(endpoint: Endpoint) -> None:
    """2.4."""
    await endpoint.post([statement(actor={**ANA, "name": name}) for name in ("Ana", "Ana B.")])
    await endpoint.post(statement(actor={**BEN, "name": "Ben"}))
    answer = await endpoint.send("GET", AGENTS, agent=json.dumps({**ANA, "name": "Anna"}))
    assert answer.status == 200
    person = await answer.json()
    assert person["objectType"] == "Person"
    assert sorted(person["name"]) == ["Ana", "Ana B.", "Anna"]
    assert person["mbox"] == [ANA["mbox"]]
    answer = await endpoint.send("GET", AGENTS, agent=json.dumps(BEN))
    assert await answer.json() == {
        "objectType": "Person",
        "name": ["Ben"],
        "account": [BEN["account"]],
    }
    for one in ({"mbox_sha1sum": "a" * 40}, {"openid": "http://e.com/x"}):
        answer = await endpoint.send("GET", AGENTS, agent=json.dumps(one))
        (name, value) = next(iter(one.items()))
        assert await answer.json() == {"objectType": "Person", name: [value]}


@pytest.mark.parametrize("path", [ACTIVITIES, AGENTS])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_they_are_only_read(endpoint: Endpoint, path: str, method: str) -> None:
    answer = await endpoint.send(method, path, activityId=LESSON)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
