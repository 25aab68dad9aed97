"""What a replay makes of statements that others void: no new rule takes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.clock import SystemClock
from pointsman.mapping import ConfiguredIdentity, Mapper, Rule, Template
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.replay import replay
from pointsman.statements import Limits
from pointsman.store.sqlite import SqliteStore
from tests.support.xapi_factory import about, new_id, statement

KNOWN = Rule("known", Template("http://example.com/{topic}"), topic_id=Template("{topic}"))
LATER = Rule("later", Template("http://later.example.com/{topic}"), topic_id=Template("{topic}"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "store.db", threaded=False)
    await opened.open()
    yield opened
    await opened.close()


def intake(store: SqliteStore, *rules: Rule) -> Pipeline:
    return Pipeline(
        store, Mapper(rules, ConfiguredIdentity()), Limits(), SystemClock(), lambda *_: None
    )


def at(activity: str) -> dict[str, Any]:
    return statement(id=new_id(), object={"id": activity})


async def wanted(store: SqliteStore) -> set[str]:
    leases = await store.lease(now=0, ttl=1, limit=9)
    return {desired.target.key for lease in leases for desired in lease.desired}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_new_rule_takes_no_statement_that_another_one_voids(
    store: SqliteStore, dry_run: bool
) -> None:
    before = intake(store, KNOWN)
    void, other = at("http://later.example.com/void"), at("http://later.example.com/other")
    applied = at("http://example.com/applied")
    statements = [void, other, applied, about(void["id"]), about(applied["id"])]
    await before.accept(before.reader.statements("http", statements))
    after = intake(store, KNOWN, LATER)
    pages = [
        page
        async for page in replay(store, after, SystemClock(), since=0, until=2**60, dry_run=dry_run)
    ]
    (result,) = [page.result for page in pages]
    assert [move.target.key for move in result.moves] == ["other"]
    assert await wanted(store) == ({"applied"} if dry_run else {"applied", "other"})
    books = await store.books()
    assert books.balanced
    # what was applied before it was voided stays so
    counts = {outcome.value: count for outcome, count in books.outcomes.items() if count}
    assert counts == (
        {"applied": 1, "unmatched": 2, "no_effect": 2}
        if dry_run
        else {"applied": 2, "no_effect": 3}
    )
