"""Storing and getting statements: 1.0.3 Part 3 section 2.1.1 to 2.1.3, 2.0 section 4.1.6.1."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.support.http_endpoint import STATEMENTS, Endpoint
from tests.support.xapi_factory import (
    ANA,
    BEN,
    COMPLETED,
    LESSON,
    SOME_ID,
    attachment,
    new_id,
    statement,
    sub,
)

STORED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def got(endpoint: Endpoint, statement_id: str, **more: Any) -> dict[str, Any]:
    answer = await endpoint.send("GET", STATEMENTS, statementId=statement_id, **more)
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def test_put_stores_one_and_is_answered_204(endpoint: Endpoint) -> None:
    """2.1.1."""
    sent = statement(id=None)
    name = new_id()
    answer = await endpoint.send("PUT", STATEMENTS, data=sent, statementId=name)
    assert (answer.status, await answer.read()) == (204, b"")
    assert (await got(endpoint, name))["actor"] == ANA


async def test_post_stores_any_number_and_is_answered_with_ids_in_order(endpoint: Endpoint) -> None:
    """2.1.2."""
    sent = [statement(), statement(id=None), statement()]
    ids = await endpoint.post(sent)
    assert (ids[0], ids[2]) == (sent[0]["id"], sent[2]["id"])
    for name in ids:
        assert (await got(endpoint, name))["id"] == name


async def test_the_same_again_changes_nothing(endpoint: Endpoint) -> None:
    """2.1.1 and 2.1.2: 204, and what was stored stays."""
    sent = statement()
    await endpoint.post(sent)
    before = await got(endpoint, sent["id"])
    for method, query in (("POST", {}), ("PUT", {"statementId": sent["id"]})):
        answer = await endpoint.send(method, STATEMENTS, data=sent, **query)
        assert answer.status == 204
    answer = await endpoint.send("POST", STATEMENTS, data=[sent, statement()])
    assert answer.status == 200
    assert await got(endpoint, sent["id"]) == before


async def test_a_known_id_with_other_content_is_a_conflict(endpoint: Endpoint) -> None:
    """2.1.1 and 2.1.2: 409, and nothing of the batch is stored."""
    sent, fresh = statement(), statement()
    await endpoint.post(sent)
    other = {**sent, "actor": BEN}
    answer = await endpoint.send("POST", STATEMENTS, data=[fresh, other])
    assert answer.status == 409
    assert sent["id"] in await answer.text()
    answer = await endpoint.send("PUT", STATEMENTS, data=other, statementId=sent["id"])
    assert answer.status == 409
    assert (await got(endpoint, sent["id"]))["actor"] == ANA
    assert (await endpoint.send("GET", STATEMENTS, statementId=fresh["id"])).status == 404


async def test_a_batch_is_all_or_nothing(endpoint: Endpoint) -> None:
    """2.1.2."""
    fresh = statement()
    answer = await endpoint.send("POST", STATEMENTS, data=[fresh, statement(verb={"id": "x"})])
    assert answer.status == 400
    assert await endpoint.found() == []


async def test_what_the_endpoint_sets(endpoint: Endpoint) -> None:
    """Part 2 sections 2.4.7 to 2.4.10: stored, timestamp, authority, version."""
    name, named = await endpoint.post(
        [
            statement(stored="2001-01-01T00:00:00Z"),
            statement(timestamp="2030-01-01T00:00:00+02:00", version="1.0.2"),
        ]
    )
    found = await got(endpoint, name)
    assert STORED.fullmatch(found["stored"])
    assert not found["stored"].startswith("2001")
    assert found["timestamp"] == found["stored"]
    assert found["version"] == ("1.0.0" if endpoint.version == "1.0.3" else "2.0.0")
    assert found["authority"] == {
        "objectType": "Agent",
        "account": {"homePage": "https://learn.example.com", "name": "players"},
    }
    told = await got(endpoint, named)
    assert (told["timestamp"], told["version"]) == ("2030-01-01T00:00:00+02:00", "1.0.2")


async def test_stored_has_more_than_milliseconds(endpoint: Endpoint) -> None:
    """Part 2 section 4.5, and 2.0 section 4.2.7: at least milliseconds."""
    ids = [(await endpoint.post(statement()))[0] for _ in range(5)]
    stored = {(await got(endpoint, name))["stored"] for name in ids}
    assert len(stored) == 5
    assert any(one[-4:-1] != "000" for one in stored)


async def test_a_statement_is_returned_as_it_came(endpoint: Endpoint) -> None:
    """2.1.3, format exact."""
    sent = statement(
        result={"score": {"scaled": 0.5, "raw": 12.25}, "extensions": {"http://e.com/x": None}},
        context={
            "registration": new_id().upper(),
            "contextActivities": {"parent": [{"id": "http://e.com/p"}]},
        },
        attachments=[attachment(b"x", fileUrl="http://e.com/file")],
    )
    await endpoint.post(sent)
    found = await got(endpoint, sent["id"], format="exact")
    assert {name: found[name] for name in sent} == sent


async def test_context_activities_are_returned_as_arrays(endpoint: Endpoint) -> None:
    """Part 2 section 2.4.6.2."""
    context = {"contextActivities": {"parent": {"id": LESSON}}}
    (name,) = await endpoint.post(statement(context=context, object=sub(context=context)))
    found = await got(endpoint, name)
    for one in (found, found["object"]):
        assert one["context"]["contextActivities"] == {"parent": [{"id": LESSON}]}


async def test_get_by_id_has_headers(endpoint: Endpoint) -> None:
    """2.1.3: Last-Modified is stored, and all is consistent through now."""
    (name,) = await endpoint.post(statement())
    answer = await endpoint.send("GET", STATEMENTS, statementId=name.upper())
    assert answer.headers["Content-Type"] == "application/json"
    stored = datetime.fromisoformat((await answer.json())["stored"])
    modified = parsedate_to_datetime(answer.headers["Last-Modified"])
    assert modified == stored.replace(microsecond=0)
    through = datetime.fromisoformat(answer.headers["X-Experience-API-Consistent-Through"])
    assert stored.replace(microsecond=0) <= through <= datetime.now(UTC)
    head = await endpoint.send("HEAD", STATEMENTS, statementId=name)
    assert head.status == 200
    assert await head.read() == b""
    for header in ("Content-Type", "Content-Length", "Last-Modified"):
        assert head.headers[header] == answer.headers[header]


@pytest.mark.parametrize(
    "query",
    [
        {"statementId": SOME_ID, "voidedStatementId": SOME_ID},
        {"statementId": SOME_ID, "agent": '{"mbox":"mailto:a@b.c"}'},
        {"statementId": SOME_ID, "limit": "1"},
        {"voidedStatementId": SOME_ID, "ascending": "true"},
        {"statementId": "not a uuid"},
        {"voidedStatementId": "7"},
        {"agent": "ana"},
        {"agent": '{"objectType":"Agent"}'},
        {"agent": '{"objectType":"Group","member":[]}'},
        {"agent": '{"mbox":"mailto:a@b.c","foo":1}'},
        {"verb": "completed"},
        {"activity": "lesson 1"},
        {"registration": "x"},
        {"since": "yesterday"},
        {"until": "2026-13-01T00:00:00Z"},
        {"limit": "-1"},
        {"limit": "many"},
        {"limit": "1.5"},
        {"related_activities": "yes"},
        {"related_agents": "1"},
        {"ascending": "True"},
        {"attachments": "0"},
        {"format": "pretty"},
        {"StatementId": SOME_ID},
        {"Limit": "1"},
        {"foo": "bar"},
        {"cursor": "1"},
    ],
    ids=str,
)
async def test_a_query_that_is_wrong_is_refused(endpoint: Endpoint, query: dict[str, str]) -> None:
    """2.1.3, and 3.2: unknown, misspelt, wrong or not allowed together."""
    answer = await endpoint.send("GET", STATEMENTS, **query)
    if any(name[0].isupper() for name in query):  # the helper takes those for headers
        text = "&".join(f"{name}={value}" for name, value in query.items())
        answer = await endpoint.send("GET", f"{STATEMENTS}?{text}")
    assert answer.status == 400
    assert next(iter(query)) in await answer.text() or "one statement" in await answer.text()
    assert "X-Experience-API-Consistent-Through" in answer.headers


async def test_an_unknown_statement_is_404(endpoint: Endpoint) -> None:
    """2.1.3."""
    for name in ("statementId", "voidedStatementId"):
        answer = await endpoint.send("GET", STATEMENTS, **{name: new_id()})
        assert answer.status == 404


async def test_a_query_is_answered_with_statements_and_more(endpoint: Endpoint) -> None:
    """2.1.3 and Part 2 section 2.5: StatementResult."""
    empty = await endpoint.send("GET", STATEMENTS)
    assert await empty.json() == {"statements": [], "more": ""}
    assert empty.headers["Content-Type"] == "application/json"
    ids = [(await endpoint.post(statement()))[0] for _ in range(3)]
    answer = await (await endpoint.send("GET", STATEMENTS, limit="2", verb=COMPLETED)).json()
    assert [one["id"] for one in answer["statements"]] == ids[:0:-1]
    assert answer["more"].startswith("/xapi/statements?")
    assert await endpoint.found(limit="2", verb=COMPLETED) == ids[::-1]
    assert await endpoint.found(limit="1", ascending="true") == ids
    assert await endpoint.found(limit="0") == ids[::-1]
    exact = await (await endpoint.send("GET", STATEMENTS, limit="3")).json()
    assert exact["more"] == ""


async def test_more_shows_what_the_first_page_promised(endpoint: Endpoint) -> None:
    """2.1.3: what came meanwhile is not pushed into the pages."""
    ids = await endpoint.post([statement() for _ in range(4)])
    first = await (await endpoint.send("GET", STATEMENTS, limit="2")).json()
    await endpoint.post(statement())
    second = await (await endpoint.send("GET", first["more"])).json()
    shown = [one["id"] for page in (first, second) for one in page["statements"]]
    assert shown == ids[::-1]
    assert second["more"] == ""


async def test_a_lenient_source_may_send_more_than_xapi_knows(one: Endpoint) -> None:
    """Players pass launch parameters on."""
    lenient = "Basic bGVuaWVudDpwYXNz"
    sent = statement()
    query = {"utm": "1", "statementId": sent["id"]}
    answer = await one.send("PUT", STATEMENTS, data=sent, Authorization=lenient, **query)
    assert answer.status == 204
    answer = await one.send("GET", STATEMENTS, Authorization=lenient, **query)
    assert answer.status == 200
    answer = await one.send("GET", STATEMENTS, Authorization=lenient, utm="1", limit="-1")
    assert answer.status == 400
