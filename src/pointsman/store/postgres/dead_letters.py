"""Dead letters: list, drop, and replace by what they turn out to say; and unmatched activities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pointsman.domain.clock import micros
from pointsman.domain.records import Receipt, Submission
from pointsman.store.books import LETTER, STATEMENT_LETTER
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.ingest import known_dead_letters, lock_and_read, write
from pointsman.store.postgres.retention import add_forgotten
from pointsman.store.postgres.rows import SQL
from pointsman.store.postgres.session import Connection
from pointsman.store.statement_index import ReadKeys
from pointsman.store.statement_records import StoredDeadLetter, UnmatchedSummary
from pointsman.store.strip_nul import clean


class PostgresDeadLetters(PostgresConnections):
    """What could not be understood, and what no rule takes."""

    async def unmatched(self, *, limit: int) -> list[UnmatchedSummary]:
        rows = await self._pool.read(lambda db: db.fetch(SQL["list_unmatched"], limit))
        return [UnmatchedSummary(**row) for row in rows]

    async def dead_letters(
        self, *, reason_prefix: str = "", source: str | None = None, after: int = 0, limit: int
    ) -> list[StoredDeadLetter]:
        values = (after, reason_prefix, source, limit)
        rows = await self._pool.read(lambda db: db.fetch(SQL["list_dead_letters"], *values))
        return [StoredDeadLetter(**row) for row in rows]

    async def dead_letter(self, letter_id: int) -> StoredDeadLetter | None:
        return await self._pool.read(lambda db: _read(db, letter_id))

    async def drop_dead_letters(self, letter_ids: Sequence[int]) -> int:
        return await self._pool.transaction(lambda db: _drop(db, letter_ids))

    async def replace_dead_letter(self, letter_id: int, submission: Submission) -> Receipt | None:
        stored_at = micros(self._clock.now())
        (cleaned,) = clean([submission])
        return await self._pool.transaction(
            lambda db: _replace(db, letter_id, cleaned, stored_at, self._shard, self._read_keys)
        )


async def _read(connection: Connection, letter_id: int) -> StoredDeadLetter | None:
    row = await connection.fetchrow(SQL["read_dead_letter"], letter_id)
    return None if row is None else StoredDeadLetter(**row)


async def _drop(connection: Connection, letter_ids: Sequence[int]) -> int:
    """Dead letters are gone, and are still counted."""
    rows = await connection.fetch(SQL["drop_dead_letters"], list(letter_ids))
    dropped = Counter(STATEMENT_LETTER if row["in_statements"] else LETTER for row in rows)
    await add_forgotten(connection, dropped)
    return dropped.total()


async def _replace(
    connection: Connection,
    letter_id: int,
    submission: Submission,
    stored_at: int,
    shard: int,
    read_keys: ReadKeys,
) -> Receipt | None:
    current = await lock_and_read(connection, [submission])
    letter = await _read(connection, letter_id)
    if letter is None or letter.in_statements:
        return None
    plan = current.plan()
    receipt = plan.take(submission)
    if known := await known_dead_letters(connection, plan):
        plan = current.plan(known)
        receipt = plan.take(submission)
    if not receipt.conflicts:
        if not await connection.fetch(SQL["drop_dead_letters"], [letter_id]):
            return None
        plan.accepted[letter.source] -= 1
        await write(connection, plan, stored_at, shard, read_keys)
    return receipt
