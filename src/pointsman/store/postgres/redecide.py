"""Deciding again about stored statements, after the rules have changed."""

from __future__ import annotations

from collections.abc import Sequence

import zstandard

from pointsman.domain.records import InputOutcome, Submission
from pointsman.store.books import STATEMENT_LETTER
from pointsman.store.commit_plan import Replay
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.ingest import known_dead_letters, lock_and_read, write
from pointsman.store.postgres.retention import add_forgotten
from pointsman.store.postgres.rows import SQL, columns
from pointsman.store.postgres.session import Connection
from pointsman.store.statement_index import ReadKeys
from pointsman.store.statement_records import DecidedStatement, Replayed, decided_statement
from pointsman.store.strip_nul import clean


class PostgresRedecide(PostgresConnections):
    """New decisions about known statements."""

    async def statements_since(
        self,
        *,
        since: int,
        after: tuple[int, str] | None,
        limit: int,
        outcome: InputOutcome | None = None,
    ) -> list[DecidedStatement]:
        return await self._pool.read(lambda db: _statements_since(db, since, after, limit, outcome))

    async def redecide(
        self, submissions: Sequence[Submission], *, now: int, dry_run: bool
    ) -> Replayed:
        cleaned = clean(submissions)
        return await self._pool.transaction(
            lambda db: _redecide(db, cleaned, now, self._shard, self._read_keys, dry_run=dry_run)
        )


async def _statements_since(
    connection: Connection,
    since: int,
    after: tuple[int, str] | None,
    limit: int,
    outcome: InputOutcome | None,
) -> list[DecidedStatement]:
    rows = await connection.fetch(
        SQL["statements_since"], since, *(after or (-1, "")), outcome or "", limit
    )
    blocks = await connection.fetch(SQL["read_blocks"], list({row["block"] for row in rows}))
    decompressor = zstandard.ZstdDecompressor()
    bodies = {block: decompressor.decompress(data) for block, data in blocks}
    return [decided_statement(row, bodies[row["block"]]) for row in rows if row["block"] in bodies]


async def _redecide(
    connection: Connection,
    submissions: Sequence[Submission],
    now: int,
    shard: int,
    read_keys: ReadKeys,
    *,
    dry_run: bool,
) -> Replayed:
    """In a savepoint, so that a dry run leaves nothing behind."""
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        result = await _decide_anew(connection, submissions, now, shard, read_keys)
    except BaseException:
        await savepoint.rollback()
        raise
    if dry_run:
        await savepoint.rollback()
    else:
        await savepoint.commit()
    return result


async def _decide_anew(
    connection: Connection,
    submissions: Sequence[Submission],
    now: int,
    shard: int,
    read_keys: ReadKeys,
) -> Replayed:
    current = await lock_and_read(connection, submissions)
    ids = [one.items[0].statement_id for one in submissions]
    rows = await connection.fetch(SQL["lock_outcomes"], ids)
    before = {name: InputOutcome(outcome) for name, outcome in rows}
    replay = _replay(Replay(current.plan(), before), submissions)
    if known := await known_dead_letters(connection, replay.plan):
        replay = _replay(Replay(current.plan(known), before), submissions)
    await write(connection, replay.plan, now, shard, read_keys)
    changed = [(name, outcome.value) for name, outcome in replay.changed.items()]
    await connection.execute(SQL["change_outcomes"], *columns(changed, 2))
    if replay.no_longer_dead:
        ids = replay.no_longer_dead
        gone = await connection.fetch(SQL["drop_letters_of_statements"], ids)
        dropped_before = len(set(ids)) - len(gone)
        await add_forgotten(connection, {STATEMENT_LETTER: -dropped_before})
    await connection.execute(SQL["drop_matched"])
    return replay.result()


def _replay(replay: Replay, submissions: Sequence[Submission]) -> Replay:
    for submission in submissions:
        replay.take(submission)
    return replay
