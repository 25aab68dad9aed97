"""Statements are immutable, and some differences are none: 1.0.3 Part 2 section 2.3.1."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_endpoint import STATEMENTS, Endpoint, running
from tests.support.xapi_factory import ANA, BEN, LESSON, SOME_ID, statement

#: three statements, and a store that a version before digests were of two parts made of them
STORES = Path(__file__).parents[2] / "data" / "stores"
GROUP = {"objectType": "Group", "member": [ANA, BEN]}
SENT = statement(
    id=SOME_ID, actor=GROUP, context={"registration": SOME_ID}, timestamp="2026-01-01T00:00:00Z"
)


async def put(endpoint: Endpoint, sent: dict[str, Any]) -> int:
    answer = await endpoint.send("PUT", STATEMENTS, data=sent, statementId=sent["id"])
    return answer.status


async def got(endpoint: Endpoint, statement_id: str) -> dict[str, Any]:
    answer = await endpoint.send("GET", STATEMENTS, statementId=statement_id)
    returned: dict[str, Any] = await answer.json()
    return returned


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": "2026-01-01T01:00:00+01:00"},
        {"timestamp": "2026-01-01T00:00:00.000Z"},
        {"verb": {**SENT["verb"], "display": {"en": "x"}}},
        {"object": {"id": LESSON, "definition": {"name": {"en": "x"}}}},
        {"context": {"registration": SOME_ID.upper()}},
        {"actor": {**GROUP, "member": [BEN, ANA]}},
    ],
)
async def test_a_repeat_that_is_written_otherwise_changes_nothing(
    endpoint: Endpoint, changes: dict[str, Any]
) -> None:
    other = {**SENT, **changes}
    assert await put(endpoint, SENT) == 204
    stored = await got(endpoint, SOME_ID)
    assert await put(endpoint, other) == 204
    new = statement()
    # beside it, what is new is stored
    assert await endpoint.post([other, new]) == [SOME_ID, new["id"]]
    assert await got(endpoint, SOME_ID) == stored


async def test_what_get_returned_may_be_put_again(endpoint: Endpoint) -> None:
    """The timestamp was assigned, and so were stored, authority and version."""
    sent = statement(context={"contextActivities": {"parent": {"id": LESSON}}})
    assert await put(endpoint, sent) == 204
    stored = await got(endpoint, sent["id"])
    assert stored.keys() - sent.keys() == {"timestamp", "stored", "authority", "version"}
    assert await put(endpoint, stored) == 204
    assert await got(endpoint, sent["id"]) == stored


async def test_another_timestamp_is_a_conflict(endpoint: Endpoint) -> None:
    assert await put(endpoint, SENT) == 204
    assert await put(endpoint, {**SENT, "timestamp": "2026-01-01T00:00:01Z"}) == 409


async def test_a_store_of_an_earlier_version_knows_its_statements(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        connection.executescript((STORES / "first_digests.sql").read_text())
    sent = json.loads((STORES / "first_digests.json").read_text())
    async with running(tmp_path) as endpoint:
        for known in sent:
            stored = await got(endpoint, known["id"])
            assert await put(endpoint, known) == 204
            assert await put(endpoint, stored) == 204
            assert await put(endpoint, {**known, "actor": {"mbox": "mailto:cy@example.com"}}) == 409
            assert await got(endpoint, known["id"]) == stored
        # all of them at once, in an array
        assert (await endpoint.send("POST", STATEMENTS, data=sent)).status == 204
        books = await endpoint.store.books()
        assert books.balanced
        assert sum(books.outcomes.values()) == len(sent)
