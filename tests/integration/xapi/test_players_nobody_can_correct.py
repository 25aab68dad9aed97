"""Requests of players and libraries that xAPI refuses, from a sender that nobody can correct.

A lenient source stands here for launched players too, which are let do the same.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.support.http_endpoint import JSON, LENIENT, STATE, STATEMENTS, Endpoint, headers
from tests.support.xapi_factory import (
    MULTIPART,
    attachment,
    data_part,
    multipart,
    new_id,
    statement,
)

AGENT = json.dumps({"mbox": "mailto:ana@example.com"})
OF_STATE = urlencode({"activityId": "http://example.com/course/1", "agent": AGENT})
TEXT = {"Content-Type": "text/plain;charset=UTF-8"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def sent(**more: Any) -> str:
    return json.dumps(statement(**more))


def version(text: str) -> dict[str, str]:
    return {**JSON, "X-Experience-API-Version": text}


#: method, path, body, headers; what a lenient source is answered, and a strict one
REQUESTS: dict[str, tuple[str, str, str, dict[str, str], int, int]] = {
    "a put that names its statement in the body alone (Lectora)": (
        "PUT",
        STATEMENTS,
        sent(),
        JSON,
        204,
        400,
    ),
    "a put that names no statement": ("PUT", STATEMENTS, sent(id=None), JSON, 204, 400),
    "a statement as text, as XMLHttpRequest types a string": (
        "POST",
        STATEMENTS,
        sent(),
        TEXT,
        200,
        400,
    ),
    "a statement without a type": ("POST", STATEMENTS, sent(), {}, 200, 400),
    "a statement that says to be a form": ("POST", STATEMENTS, sent(), FORM, 200, 400),
    "a type that is written twice": (
        "POST",
        STATEMENTS,
        sent(),
        {"Content-Type": "application/json, application/json"},
        200,
        400,
    ),
    "a version of before 1.0": ("POST", STATEMENTS, sent(), version("0.95"), 200, 400),
    "a version that is written twice": (
        "POST",
        STATEMENTS,
        sent(),
        version("1.0.3, 1.0.3"),
        200,
        400,
    ),
    "flags as Python writes them": (
        "GET",
        f"{STATEMENTS}?ascending=True&related_agents=False&limit=1",
        "",
        {},
        200,
        400,
    ),
    "parameters that say nothing": (
        "GET",
        f"{STATEMENTS}?registration=&since=&verb=&limit=1",
        "",
        {},
        200,
        400,
    ),
    "a state of no registration": (
        "GET",
        f"{STATE}?{OF_STATE}&stateId=resume&registration=",
        "",
        {},
        404,
        400,
    ),
    "a registration of undefined": (
        "GET",
        f"{STATE}?{OF_STATE}&stateId=resume&registration=undefined",
        "",
        {},
        404,
        400,
    ),
    "an agent with a name of null": (
        "GET",
        f"{STATEMENTS}?limit=1&agent="
        + quote(json.dumps({"name": None, "mbox": "mailto:ana@example.com"})),
        "",
        {},
        200,
        400,
    ),
    "a form whose address has parameters": (
        "POST",
        f"{STATEMENTS}?method=PUT&statementId=" + (named := new_id()),
        urlencode({"content": sent(id=named)}),
        FORM,
        204,
        400,
    ),
    "a form whose method is in small letters": (
        "POST",
        f"{STATEMENTS}?method=get",
        "limit=1",
        FORM,
        200,
        400,
    ),
    # no rule of xAPI is broken by these
    "two slashes, of an endpoint that ends in one (CATAPULT's courses)": (
        "POST",
        "/xapi//statements",
        sent(),
        JSON,
        200,
        200,
    ),
    "two slashes before a state": (
        "GET",
        f"/xapi//activities/state?{OF_STATE}&stateId=LMS.LaunchData",
        "",
        {},
        404,
        404,
    ),
    "two slashes before about": ("GET", "/xapi//about", "", {}, 200, 200),
}


async def test_they_are_answered_and_a_strict_source_is_told_the_rule(one: Endpoint) -> None:
    answers = {}
    for name, (method, path, body, more, *_) in REQUESTS.items():
        if method != "GET":  # what is stored by one is stored for the other
            again = json.loads(body) if body.startswith("{") else None
            bodies = [body, json.dumps({**again, "id": new_id()}) if again else body]
        else:
            bodies = [body, body]
        statuses = []
        for credential, text in zip((LENIENT, {}), bodies, strict=True):
            answer = await one.client.request(
                method,
                path,
                data=text.encode() or None,
                headers=headers() | more | credential,
                skip_auto_headers=["Content-Type"],
            )
            statuses.append((answer.status, await answer.text()))
        answers[name] = statuses
    assert {name: tuple(status for status, _ in each) for name, each in answers.items()} == {
        name: row[4:] for name, row in REQUESTS.items()
    }, {
        name: each
        for name, each in answers.items()
        if [s for s, _ in each] != [*REQUESTS[name][4:]]
    }


async def test_the_version_may_be_missing_from_a_lenient_source(one: Endpoint) -> None:
    for credential, status in ((LENIENT, 200), ({}, 400)):
        said = headers() | JSON | credential
        del said["X-Experience-API-Version"]
        answer = await one.client.post(STATEMENTS, data=sent(), headers=said)
        assert answer.status == status
        assert answer.headers["X-Experience-API-Version"] in {"1.0.3", "2.0.0"}


async def test_a_put_without_a_name_is_stored_under_the_one_in_its_body(one: Endpoint) -> None:
    body = statement()
    said = headers() | JSON | LENIENT
    answer = await one.client.put(STATEMENTS, data=json.dumps(body), headers=said)
    assert answer.status == 204
    found = await one.send("GET", STATEMENTS, statementId=body["id"])
    assert found.status == 200


@pytest.mark.parametrize("path", ["/xapi//statements", "/xapi//statements/"])
async def test_two_slashes_are_the_same_resource_in_every_header_and_metric(
    one: Endpoint, path: str
) -> None:
    answer = await one.send("GET", path, limit="1")
    assert answer.status == 200
    assert "X-Experience-API-Consistent-Through" in answer.headers
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"
    assert one.requests[-1][2] == "/xapi/statements"
    preflight = await one.client.options(path, headers={"Origin": "https://player.example"})
    assert preflight.status == 204


@pytest.mark.parametrize(("encoding", "status"), [("", 200), ("BINARY", 200), ("base64", 400)])
async def test_an_attachment_that_does_not_say_how_it_travels_is_binary(
    one: Endpoint, encoding: str, status: int
) -> None:
    """1.0.3 Part 3 section 1.5.2: an LRS should assume it."""
    data = b"\x89PNG"
    part = data_part(data, Content_Transfer_Encoding=encoding)
    kind = {"Content-Type": MULTIPART}
    for credential, expected in (LENIENT, status), ({}, 400 if encoding == "" else status):
        body = multipart(statement(attachments=[attachment(data)], context=None), part)
        answer = await one.client.post(STATEMENTS, data=body, headers=headers() | kind | credential)
        assert answer.status == expected, await answer.text()


async def test_a_fault_beside_attachments_is_left_out_and_they_are_kept(one: Endpoint) -> None:
    data = b"\x89PNG"
    made = statement(attachments=[attachment(data)]) | {"context": None}
    body = multipart(made, data_part(data))
    kind = {"Content-Type": MULTIPART}
    answer = await one.client.post(STATEMENTS, data=body, headers=headers() | kind | LENIENT)
    assert answer.status == 200, await answer.text()
    found = await one.send("GET", STATEMENTS, statementId=made["id"], attachments="true")
    text = await found.read()
    assert data in text
    assert b'"context"' not in text
