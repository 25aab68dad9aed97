"""Applies new decisions to stored statements, after the rules have changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson
import zstandard

from pointsman.domain.records import InputOutcome, Submission
from pointsman.store.books import STATEMENT_LETTER
from pointsman.store.commit_plan import Replay
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.ingest import new_plan, write
from pointsman.store.sqlite.rows import SQL, fetch, to_json
from pointsman.store.statement_index import ReadKeys
from pointsman.store.statement_records import DecidedStatement, Replayed, decided_statement
from pointsman.store.strip_nul import clean


class SqliteRedecide(SqliteConnections):
    """New decisions about known statements."""

    async def statements_since(
        self,
        *,
        since: int,
        after: tuple[int, str] | None,
        limit: int,
        outcome: InputOutcome | None = None,
    ) -> list[DecidedStatement]:
        return await self._read(lambda db: _statements_since(db, since, after, limit, outcome))

    async def redecide(
        self, submissions: Sequence[Submission], *, now: int, dry_run: bool
    ) -> Replayed:
        cleaned = clean(submissions)
        return await self._write(
            lambda db: _redecide(db, cleaned, now, self._read_keys, dry_run=dry_run)
        )


def _statements_since(
    connection: sqlite3.Connection,
    since: int,
    after: tuple[int, str] | None,
    limit: int,
    outcome: InputOutcome | None,
) -> list[DecidedStatement]:
    bodies: dict[int, bytes] = {}
    statements = []
    for row in fetch(
        connection, "statements_since", since, *(after or (-1, "")), outcome or "", limit
    ):
        block = row["block"]
        if block not in bodies:
            (data,) = connection.execute(SQL["read_block"], (block,)).fetchone()
            bodies[block] = zstandard.ZstdDecompressor().decompress(data)
        statements.append(decided_statement(row, bodies[block]))
    return statements


def _redecide(
    connection: sqlite3.Connection,
    submissions: Sequence[Submission],
    now: int,
    read_keys: ReadKeys,
    *,
    dry_run: bool,
) -> Replayed:
    """In a savepoint, so that a dry run leaves nothing behind."""
    connection.execute("SAVEPOINT redecide")
    try:
        result = _decide_anew(connection, submissions, now, read_keys)
        if dry_run:
            connection.execute("ROLLBACK TO redecide")
    finally:
        connection.execute("RELEASE redecide")
    return result


def _decide_anew(
    connection: sqlite3.Connection,
    submissions: Sequence[Submission],
    now: int,
    read_keys: ReadKeys,
) -> Replayed:
    ids = [submission.items[0].statement_id for submission in submissions]
    (text,) = connection.execute(SQL["outcomes_of_statements"], (to_json(ids),)).fetchone()
    before = {name: InputOutcome(outcome) for name, outcome in orjson.loads(text).items()}
    replay = Replay(new_plan(connection, submissions), before)
    for submission in submissions:
        replay.take(submission)
    write(connection, replay.plan, now, read_keys)
    connection.execute(SQL["change_outcomes"], (to_json(replay.changed),))
    if replay.no_longer_dead:
        ids = replay.no_longer_dead
        gone = connection.execute(SQL["drop_letters_of_statements"], (to_json(ids),)).fetchall()
        dropped_before = len(set(ids)) - len(gone)
        connection.execute(SQL["add_forgotten"], (to_json({STATEMENT_LETTER: -dropped_before}),))
    connection.execute(SQL["drop_matched"])
    return replay.result()
