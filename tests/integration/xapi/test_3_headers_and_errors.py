"""Versions, errors, HEAD and CORS: 1.0.3 Part 3 sections 1.1, 2.8, 3.2 and 3.3, 2.0 section 4.1."""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest

from tests.support.http_endpoint import (
    ACTIVITY_PROFILE,
    AGENT_PROFILE,
    AUTH,
    PLAYER,
    STATE,
    STATEMENTS,
    Endpoint,
    headers,
)
from tests.support.xapi_factory import ANA, LESSON, SOME_ID, new_id, statement

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


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_bare_read_without_a_version_is_refused_in_the_one_that_all_know(
    one: Endpoint, method: str, path: str
) -> None:
    """2.8 and 3.3."""
    answer = await one.client.request(method, path, headers=AUTH)
    assert (answer.status, answer.headers["X-Experience-API-Version"]) == (400, "1.0.3")


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
async def test_any_other_request_without_a_version_is_refused_in_the_newest(
    one: Endpoint, method: str
) -> None:
    """3.3, and 2.0 section 4.1.2."""
    query = {} if method == "POST" else {"statementId": new_id()}
    before = await one.snapshot()
    answer = await one.client.request(
        method, STATEMENTS, params=query, json=statement(), headers=AUTH
    )
    assert (answer.status, answer.headers["X-Experience-API-Version"]) == (400, "2.0.0")
    assert await one.snapshot() == before


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


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", STATEMENTS, "GET, HEAD, OPTIONS, POST, PUT"),
        ("DELETE", "/xapi/activities", "GET, HEAD, OPTIONS"),
        ("POST", "/xapi/activities", "GET, HEAD, OPTIONS"),
        ("PUT", "/xapi/agents", "GET, HEAD, OPTIONS"),
        ("PATCH", STATE, "DELETE, GET, HEAD, POST, PUT"),
    ],
)
async def test_a_method_that_is_not_there_is_405_for_everybody(
    one: Endpoint, method: str, path: str, allowed: str
) -> None:
    """3.2; a stranger is told too, as by a preflight."""
    for said in ({}, {"X-Experience-API-Version": "1.0.1"}, headers(), headers("2.0.0")):
        answer = await one.client.request(method, path, params={"agent": AGENT}, headers=said)
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)


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


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", STATEMENTS, headers()),
        ("GET", f"{STATEMENTS}?limit=1", headers("2.0.0")),
        ("GET", f"{STATEMENTS}?foo=1", headers()),
        ("GET", f"{STATEMENTS}?statementId={SOME_ID}", headers()),
        ("GET", STATEMENTS, AUTH),
        ("GET", STATEMENTS, {}),
        ("HEAD", STATEMENTS, headers()),
        ("POST", STATEMENTS, headers()),
        ("PUT", f"{STATEMENTS}?statementId={SOME_ID}", headers()),
        ("DELETE", STATEMENTS, headers()),
        ("GET", f"{STATEMENTS}verb=http://e.com/v", headers()),
    ],
)
async def test_every_answer_about_statements_says_how_far_they_can_be_seen(
    one: Endpoint, method: str, path: str, said: dict[str, str]
) -> None:
    """2.1.3, and 2.0 section 4.1.6.1: "on all responses to Statements requests"."""
    began = time.time()
    answer = await one.client.request(method, path, headers=said)
    through = datetime.fromisoformat(answer.headers["X-Experience-API-Consistent-Through"])
    assert abs(through.timestamp() - began) < 60


async def test_other_resources_say_nothing_of_statements(endpoint: Endpoint) -> None:
    for path, query in GETS.items():
        if path != STATEMENTS:
            answer = await endpoint.send("GET", path, **query)
            assert "X-Experience-API-Consistent-Through" not in answer.headers


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
