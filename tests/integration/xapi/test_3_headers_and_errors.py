"""Versions, errors, HEAD and CORS: 1.0.3 Part 3 sections 1.1, 2.8, 3.2 and 3.3, 2.0 section 4.1."""

from __future__ import annotations

import json

import pytest

from tests.support.endpoint import (
    ACTIVITY_PROFILE,
    AGENT_PROFILE,
    AUTH,
    PLAYER,
    STATE,
    STATEMENTS,
    Endpoint,
    headers,
)
from tests.support.xapi import ANA, LESSON

AGENT = json.dumps(ANA)
GETS = {
    STATEMENTS: {"limit": "1"},
    STATE: {"activityId": LESSON, "agent": AGENT},
    ACTIVITY_PROFILE: {"activityId": LESSON},
    AGENT_PROFILE: {"agent": AGENT},
    "/xapi/activities": {"activityId": LESSON},
    "/xapi/agents": {"agent": AGENT},
}
RESOURCES = pytest.mark.parametrize(("path", "query"), GETS.items(), ids=GETS)


@RESOURCES
@pytest.mark.parametrize("version", [None, "", "0.8", "0.9", "0.95", "1.1.0", "2.1.0", "3.0.0"])
async def test_a_request_names_a_version_that_is_spoken(
    one: Endpoint, path: str, query: dict[str, str], version: str | None
) -> None:
    """3.3: 400, and the answer says which is."""
    said = {} if version is None else {"X-Experience-API-Version": version}
    answer = await one.client.get(path, params=query, headers=AUTH | said)
    assert answer.status == 400
    assert answer.headers["X-Experience-API-Version"] == "2.0.0"
    assert "X-Experience-API-Version" in await answer.text()


@RESOURCES
@pytest.mark.parametrize(
    ("version", "answered"),
    [("1.0", "1.0.3"), ("1.0.0", "1.0.3"), ("1.0.9", "1.0.3"), ("2.0.0", "2.0.0")],
)
async def test_every_answer_names_its_version(
    one: Endpoint, path: str, query: dict[str, str], version: str, answered: str
) -> None:
    """3.3."""
    for extra, status in (({}, 200), ({"foo": "1"}, 400)):
        answer = await one.client.get(path, params=query | extra, headers=headers(version))
        assert answer.status == status
        assert answer.headers["X-Experience-API-Version"] == answered


async def test_about_needs_neither_version_nor_credentials(one: Endpoint) -> None:
    """2.8."""
    for said in ({}, {"X-Experience-API-Version": "0.8"}, {"Authorization": "nonsense"}):
        answer = await one.client.get("/xapi/about", headers=said)
        assert answer.status == 200
        assert {"1.0.3", "2.0.0"} <= set((await answer.json())["version"])
    answer = await one.client.get("/xapi/about", headers=headers("1.0.2"))
    assert (await answer.json())["version"] == ["1.0.0", "1.0.1", "1.0.2", "1.0.3"]


@RESOURCES
async def test_head_is_get_without_a_body(
    endpoint: Endpoint, path: str, query: dict[str, str]
) -> None:
    """1.1."""
    answer = await endpoint.send("GET", path, **query)
    head = await endpoint.send("HEAD", path, **query)
    assert (head.status, await head.read()) == (answer.status, b"")
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == answer.headers[name]


@RESOURCES
@pytest.mark.parametrize("shown", [None, "Basic xxx", "Basic Og==", "Bearer", "OAuth x"])
async def test_strangers_are_401(
    one: Endpoint, path: str, query: dict[str, str], shown: str | None
) -> None:
    """3.2 and 4."""
    said = {} if shown is None else {"Authorization": shown}
    answer = await one.client.get(path, params=query, headers=said | {"Origin": PLAYER})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"]
    assert answer.headers["Access-Control-Allow-Origin"] == PLAYER


@RESOURCES
async def test_an_unknown_parameter_is_refused(
    endpoint: Endpoint, path: str, query: dict[str, str]
) -> None:
    """3.2."""
    for name in ("foo", "Agent", "ACTIVITYID", "method"):
        answer = await endpoint.send("GET", f"{path}?{name}=1", **query)
        assert answer.status == 400


@RESOURCES
async def test_a_get_may_say_what_its_missing_body_is(
    endpoint: Endpoint, path: str, query: dict[str, str]
) -> None:
    """As @xapi/xapi with fetch, and the ADL wrapper do."""
    answer = await endpoint.send("GET", path, Content_Type="application/json", **query)
    assert answer.status == 200
    answer = await endpoint.send("GET", path, data=b'{"a":1}', **query)
    assert answer.status == 200


async def test_only_queries_say_how_far_they_see(endpoint: Endpoint) -> None:
    """2.1.3."""
    for path, query in GETS.items():
        answer = await endpoint.send("GET", path, **query)
        told = "X-Experience-API-Consistent-Through" in answer.headers
        assert told == (path == STATEMENTS)


@RESOURCES
async def test_a_preflight_is_answered_for_every_resource(
    one: Endpoint, path: str, query: dict[str, str]
) -> None:
    asked = "authorization,content-type,if-match,x-experience-api-version"
    answer = await one.client.options(
        path,
        params=query,
        headers={
            "Origin": PLAYER,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": asked,
        },
    )
    assert answer.status == 204
    allowed = answer.headers["Access-Control-Allow-Headers"].replace(" ", "").split(",")
    assert set(asked.split(",")) <= set(allowed)
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Allow-Origin"] == PLAYER
    shown = await one.client.get(path, params=query, headers=headers() | {"Origin": PLAYER})
    exposed = shown.headers["Access-Control-Expose-Headers"]
    for name in ("ETag", "Last-Modified", "X-Experience-API-Version", "Consistent-Through"):
        assert name in exposed
