"""What a story is read by goes through an index, however many statements there are.

Every query that a story asks is caught, and its database says how it would answer it.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from demo.database import Database
from pointsman import wiring
from pointsman.config import load
from pointsman.domain.clock import SystemClock
from pointsman.domain.records import DeadLetter, Submission
from pointsman.domain.targets import Recipient, Target, TargetKind
from pointsman.store.base import Store
from pointsman.store.postgres import PostgresStore
from pointsman.store.postgres.session import SessionOpener
from pointsman.store.sqlite import SqliteStore, connections, read_thread
from pointsman.store.sqlite.schema import connect
from pointsman.story import Question
from tests.support.change_factory import change, wants
from tests.support.databases import fresh_database
from tests.support.store_steps import settle, take

CONFIG = """
allow_weak_secrets = true
[platform]
url = "http://127.0.0.1:1"
api_key = "key"
[[sources.http]]
name = "players"
credentials = [{ key = "user", secret = "secret" }]
[learners.tokens]
inline = { "ana@example.com" = "token" }
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""
ANA = "ana@example.com"
IRI = "https://content.example.com/t1"
STATEMENT = "3b1d5c68-9d8e-4f57-8f4c-0f7d3a6f0a55"
QUESTIONS = [
    Question(ANA),
    Question(ANA, topic="t1"),
    Question(ANA, course="c"),
    Question(ANA, activity=IRI),
    Question(statement_id=STATEMENT),
    Question("nobody@example.com"),
]
#: a row, or as many as operators made
SMALL = {"installation", "pauses", "refused_learners", "quota_window", "pace", "slots"}
#: the newest of a table, by its own order
_NEWEST = re.compile(r"FROM (turns|dead_letters) ORDER BY id DESC LIMIT")


async def tell_all(store: Store, folder: Path) -> None:
    """Something of each kind is known, and every question is answered."""
    attendance = Target(TargetKind.MEETING_ATTENDANCE, f"c {ANA}")
    await take(store, wants(change(Recipient.meeting("m"), attendance, "attended")))
    await settle(store, "delivered", now=2**52)
    (folder / "pointsman.toml").write_text(CONFIG)
    settings = load(folder / "pointsman.toml")
    pipeline = wiring.pipeline(settings, store, SystemClock())
    verb = "http://adlnet.gov/expapi/verbs/progressed"
    for name, iri in ((STATEMENT, IRI), (None, f"{IRI}/elsewhere")):
        statement = {
            "actor": {"mbox": f"mailto:{ANA}"},
            "verb": {"id": verb},
            "object": {"id": iri},
            "result": {"extensions": {"https://w3id.org/xapi/cmi5/result/extensions/progress": 4}},
        }
        body = json.dumps(statement | ({"id": name} if name else {})).encode()
        await pipeline.accept(pipeline.reader.request("players", body))
    letter = DeadLetter("no verb", "here", ANA.encode())
    await store.ingest([Submission("s", b"", 1, (), (letter,), all_or_nothing=False)])
    teller = wiring.teller(settings, store, SystemClock())
    for question in QUESTIONS:
        await teller.tell(question)


@pytest.fixture
async def sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Store, list[str]]]:
    asked: list[str] = []

    def traced(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_trace_callback(asked.append)
        return connection

    monkeypatch.setattr(read_thread, "connect", traced)
    monkeypatch.setattr(connections, "connect", traced)
    store = SqliteStore(tmp_path / "s.db", threaded=False)
    await store.open()
    yield store, asked
    await store.close()


async def test_in_sqlite_no_table_is_read_from_end_to_end(
    sqlite: tuple[Store, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, asked = sqlite
    with _only_the_teller(monkeypatch, asked):
        await tell_all(store, tmp_path)
    queries = {query for query in asked if re.match(r"(SELECT|WITH|--)", query)}
    assert len(queries) > 10
    with contextlib.closing(sqlite3.connect(tmp_path / "s.db")) as connection:
        scans = {query: list(_scans_of_sqlite(connection, query)) for query in queries}
        assert {query: found for query, found in scans.items() if found} == {}
        assert list(_scans_of_sqlite(connection, "SELECT * FROM desired WHERE value = 1"))
        assert list(_scans_of_sqlite(connection, "SELECT * FROM turns WHERE at > 1"))


@contextlib.contextmanager
def _only_the_teller(monkeypatch: pytest.MonkeyPatch, asked: list[Any]) -> Iterator[None]:
    """What the preparations asked is left out."""
    original = wiring.teller

    def forgetting(*values: Any) -> Any:
        asked.clear()
        return original(*values)

    with monkeypatch.context() as patch:
        patch.setattr(wiring, "teller", forgetting)
        yield


def _scans_of_sqlite(connection: sqlite3.Connection, query: str) -> Iterator[str]:
    """Steps that read a whole table; a part of the query and a list of values are none."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")} - SMALL
    if newest := _NEWEST.search(query):
        tables.discard(newest[1])
    # an alias is followed back to its table
    aliases = dict(re.findall(r"(\w+) AS (\w+)\b", query))
    names = {alias for table, alias in aliases.items() if table in tables} | tables
    for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {query}"):
        scanned = re.match(r"SCAN (\w+)(?! VIRTUAL)", step)
        if scanned and scanned[1] in names:
            yield step


@pytest.fixture
async def postgres(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Store, list[Any], str]]:
    asked: list[Any] = []
    original = SessionOpener.open

    async def traced(self: SessionOpener, dsn: str | None, **options: Any) -> asyncpg.Connection:
        connection = await original(self, dsn, **options)
        connection.add_query_logger(asked.append)
        return connection

    monkeypatch.setattr(SessionOpener, "open", traced)
    async with fresh_database(database) as dsn:
        store = PostgresStore(dsn)
        await store.open()
        yield store, asked, dsn
        await store.close()


async def test_in_postgresql_no_table_is_read_from_end_to_end(
    postgres: tuple[Store, list[Any], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, asked, dsn = postgres
    with _only_the_teller(monkeypatch, asked):
        await tell_all(store, tmp_path)
    queries = {
        logged.query: logged.args for logged in asked if re.match(r"(SELECT|WITH|--)", logged.query)
    }
    assert len(queries) > 10
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET enable_seqscan = off")  # as every session of ours does
        scans = {
            query: list(_scans_of_postgres(await _plan(connection, query, args)))
            for query, args in queries.items()
        }
        assert {query: found for query, found in scans.items() if found} == {}
        for slow in (
            "SELECT * FROM desired WHERE value = '1'",
            "SELECT max(at) + id FROM turns GROUP BY id",
        ):
            assert list(_scans_of_postgres(await _plan(connection, slow, ())))
    finally:
        await connection.close()


async def _plan(connection: asyncpg.Connection, query: str, values: Any) -> Mapping[str, Any]:
    explained = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *values)
    plan: Mapping[str, Any] = json.loads(explained)[0]["Plan"]
    return plan


def _scans_of_postgres(node: Mapping[str, Any], *, is_limited: bool = False) -> Iterator[str]:
    """Nodes that read a whole table; in the order of an index up to a limit is none."""
    table, kind = node.get("Relation Name"), node["Node Type"]
    by_index = kind.startswith("Index") and (is_limited or "Index Cond" in node)
    if table and table not in SMALL and not by_index and kind != "Bitmap Heap Scan":
        yield f"{kind} of {table}"
    if kind == "Bitmap Index Scan" and "Index Cond" not in node:
        yield f"{kind} of {node['Index Name']}"
    for child in node.get("Plans", ()):
        yield from _scans_of_postgres(child, is_limited=kind == "Limit")
