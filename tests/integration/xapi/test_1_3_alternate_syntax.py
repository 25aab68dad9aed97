"""The alternate request syntax: 1.0.3 Part 3 section 1.3; 2.0 has none."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientResponse

from pointsman.sources.http.lrs.resources import TABLE, Resource
from tests.support.http_endpoint import AUTH, LENIENT, PLAYER, STATE, STATEMENTS, Endpoint, basic
from tests.support.xapi_factory import ANA, LESSON, SOME_ID, new_id, statement

FORM = "application/x-www-form-urlencoded"
VERSION = {"X-Experience-API-Version": "1.0.3"}
KEY = {"activityId": LESSON, "agent": json.dumps(ANA), "stateId": "bookmark"}


async def send(
    endpoint: Endpoint,
    path: str,
    form: dict[str, Any],
    query: str = "method=PUT",
    headers: dict[str, str] | None = None,
) -> ClientResponse:
    return await endpoint.client.post(
        f"{path}?{query}",
        data=urlencode(form),
        headers={"Content-Type": FORM, "Origin": PLAYER, **(headers or {})},
    )


async def test_a_form_is_a_request(one: Endpoint) -> None:
    """Everything in the form: credentials, headers, parameters and body."""
    everything = AUTH | VERSION
    written = {**everything, **KEY, "Content-Type": "text/plain", "content": "page=3&x ü"}
    answer = await send(one, STATE, written)
    assert (answer.status, answer.headers["X-Experience-API-Version"]) == (204, "1.0.3")
    answer = await send(one, STATE, {**everything, **KEY}, "method=GET")
    assert (answer.status, await answer.text()) == (200, "page=3&x ü")
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Access-Control-Allow-Origin"] == PLAYER
    answer = await send(one, STATE, {**written, "If-Match": "1234"})
    assert answer.status == 412
    answer = await send(one, STATE, {**everything, **KEY}, "method=DELETE")
    assert answer.status == 204


@pytest.mark.parametrize("kind", [FORM, "text/plain;charset=UTF-8", ""])
async def test_about_is_told_to_a_form_without_credentials(one: Endpoint, kind: str) -> None:
    answer = await send(one, "/xapi/about", VERSION, "method=GET", {"Content-Type": kind})
    assert answer.status == 200
    assert (await answer.json())["version"] == ["1.0.0", "1.0.1", "1.0.2", "1.0.3"]
    assert answer.headers["Access-Control-Allow-Origin"] == PLAYER
    for query in ("", "method=PUT"):
        answer = await send(one, "/xapi/about", {**VERSION, "content": "{}"}, query)
        assert answer.status == 405


async def test_headers_may_stay_headers(one: Endpoint) -> None:
    """As TinCanJS does it."""
    sent = statement()
    form = {"statementId": sent["id"], "content": json.dumps(sent)}
    headers = AUTH | VERSION
    kind = {"Content-Type": "application/json"}
    assert (await send(one, STATEMENTS, form | kind, headers=headers)).status == 204
    answer = await send(one, STATEMENTS, {"statementId": sent["id"]}, "method=GET", headers)
    assert (await answer.json())["id"] == sent["id"]
    posted = {"content": json.dumps([statement()])} | kind
    answer = await send(one, STATEMENTS, posted, "method=POST", headers)
    assert (answer.status, len(await answer.json())) == (200, 1)
    answer = await send(one, "/xapi/agents", {"agent": json.dumps(ANA)}, "method=GET", headers)
    assert answer.status == 200


@pytest.mark.parametrize("headers", [AUTH | VERSION, {}])
async def test_statements_in_a_form_need_not_say_that_they_are_json(
    one: Endpoint, headers: dict[str, str]
) -> None:
    """1.3: Content-Type is one of the parameters that a form may have."""
    said = {} if headers else AUTH | VERSION
    sent = statement()
    written = {**said, "statementId": sent["id"], "content": json.dumps(sent)}
    assert (await send(one, STATEMENTS, written, headers=headers)).status == 204
    posted = {**said, "content": json.dumps([statement()])}
    answer = await send(one, STATEMENTS, posted, "method=POST", headers)
    assert (answer.status, len(await answer.json())) == (200, 1)
    assert await one.found(ascending="true") == [sent["id"], *await answer.json()]


GOOD = {"statementId": new_id(), "content": json.dumps(statement(id=None))}


@pytest.mark.parametrize(
    ("form", "query", "headers", "status"),
    [
        (GOOD | VERSION, "method=PUT", {}, 401),
        (GOOD | VERSION | {"Authorization": basic("user:wrong")}, "method=PUT", {}, 401),
        (GOOD | AUTH, "method=PUT", {}, 400),
        (GOOD | AUTH | {"X-Experience-API-Version": "0.8"}, "method=PUT", {}, 400),
        (GOOD | AUTH | VERSION, "method=PUT&registration=x", {}, 400),
        ({"statementId": SOME_ID} | AUTH | VERSION, "method=PUT", {}, 400),
        (GOOD | AUTH | VERSION, "method=TRACE", {}, 400),
        (GOOD | AUTH | VERSION, "method=put", {}, 400),
        (GOOD | AUTH | VERSION, "method=", {}, 400),
        (GOOD | AUTH | VERSION | {"foo": "1"}, "method=PUT", {}, 400),
        (GOOD | AUTH | VERSION, "method=PUT", {"Content-Type": "application/json"}, 400),
        (GOOD | AUTH | VERSION | {"Content-Type": "a\r\nSet-Cookie: b"}, "method=PUT", {}, 400),
        (GOOD | AUTH | VERSION, "method=DELETE", {}, 405),
    ],
)
async def test_what_a_form_may_not_be(
    one: Endpoint, form: dict[str, str], query: str, headers: dict[str, str], status: int
) -> None:
    before = await one.snapshot()
    answer = await send(one, STATEMENTS, form, query, headers)
    assert answer.status == status, await answer.text()
    assert await one.snapshot() == before


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_a_post_has_a_method(endpoint: Endpoint, method: str) -> None:
    answer = await endpoint.send(method, f"{STATEMENTS}?method=POST")
    assert answer.status == 400


async def test_2_0_has_no_alternate_syntax(two: Endpoint) -> None:
    """2.0 section 4.1.2: removed."""
    said = AUTH | {"X-Experience-API-Version": "2.0.0"}
    for form, headers in ((GOOD | said, {}), (GOOD, said)):
        answer = await send(two, STATEMENTS, form, headers=headers)
        assert answer.status == 400
        assert "no ?method=" in await answer.text()


async def test_broken_forms_are_refused(one: Endpoint) -> None:
    for body in (b"\xff=1", b"content=%zz", b"content=%ff", b"a&" * 200, b"a=1&a=2"):
        answer = await one.client.post(
            f"{STATEMENTS}?method=PUT",
            data=body,
            headers=AUTH | VERSION | {"Content-Type": FORM},
        )
        assert answer.status == 400


#: of every resource what its methods need, beside credentials
NEEDED = {
    "activityId": LESSON,
    "agent": json.dumps(ANA),
    "stateId": "bookmark",
    "profileId": "p",
    "statementId": SOME_ID,
}


def untyped(kind: str | None) -> dict[str, Any]:
    """Of Storyline 2, which says text/plain, and of XDomainRequest, which says nothing."""
    if kind is not None:
        return {"headers": {"Content-Type": kind}}
    return {"skip_auto_headers": ["Content-Type"]}


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "text/plain", None])
@pytest.mark.parametrize(
    ("resource", "method"),
    [(resource, method) for resource, methods in TABLE.items() for method in methods],
)
async def test_a_form_that_can_not_say_so_is_one_from_a_lenient_source(
    one: Endpoint, resource: Resource, method: str, kind: str | None
) -> None:
    needed = {name: NEEDED[name] for name in TABLE[resource][method].required}
    form = LENIENT | VERSION | needed
    if method in {"PUT", "POST"}:
        content = statement(id=SOME_ID) if resource is Resource.STATEMENTS else {"a": 1}
        form |= {"content": json.dumps(content), "Content-Type": "application/json"}
    data = urlencode(form).encode()
    answer = await one.client.post(f"{resource}?method={method}", data=data, **untyped(kind))
    assert answer.status in {200, 204}, await answer.text()
    strict = urlencode(form | AUTH).encode()
    refused = await one.client.post(f"{resource}?method={method}", data=strict, **untyped(kind))
    assert refused.status == 400
    assert "mark the source lenient" in await refused.text()


async def test_a_state_that_is_not_there_is_a_404_to_a_player_that_can_set_no_type(
    one: Endpoint,
) -> None:
    """Storyline sends nothing at all any more after any other refusal."""
    data = urlencode(LENIENT | VERSION | KEY).encode()
    answer = await one.client.post(
        f"{STATE}?method=GET", data=data, **untyped("text/plain;charset=UTF-8")
    )
    assert answer.status == 404


async def test_a_json_body_is_no_form_whoever_sends_it(one: Endpoint) -> None:
    answer = await one.client.post(
        f"{STATE}?method=GET", data=b"{}", headers=LENIENT | {"Content-Type": "application/json"}
    )
    assert answer.status == 400
