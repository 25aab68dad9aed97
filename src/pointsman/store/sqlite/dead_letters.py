"""Dead letters: list, drop, and replace by what they turn out to say; and unmatched activities."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pointsman.domain.clock import micros
from pointsman.domain.records import Receipt, Submission
from pointsman.store.books import LETTER, STATEMENT_LETTER
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.ingest import new_plan, write
from pointsman.store.sqlite.rows import SQL, fetch, fetch_one, to_json
from pointsman.store.statement_index import ReadKeys
from pointsman.store.statement_records import StoredDeadLetter, UnmatchedSummary
from pointsman.store.strip_nul import clean


class SqliteDeadLetters(SqliteConnections):
    """What could not be understood, and what no rule takes."""

    async def unmatched(self, *, limit: int) -> list[UnmatchedSummary]:
        return await self._read(
            lambda db: [UnmatchedSummary(**row) for row in fetch(db, "list_unmatched", limit)]
        )

    async def dead_letters(
        self, *, reason_prefix: str = "", source: str | None = None, after: int = 0, limit: int
    ) -> list[StoredDeadLetter]:
        values = (after, reason_prefix, source, limit)
        return await self._read(
            lambda db: [_letter(row) for row in fetch(db, "list_dead_letters", *values)]
        )

    async def dead_letter(self, letter_id: int) -> StoredDeadLetter | None:
        return await self._read(lambda db: _read(db, letter_id))

    async def drop_dead_letters(self, letter_ids: Sequence[int]) -> int:
        return await self._write(lambda db: _drop(db, letter_ids))

    async def replace_dead_letter(self, letter_id: int, submission: Submission) -> Receipt | None:
        stored_at = micros(self._clock.now())
        (cleaned,) = clean([submission])
        return await self._write(
            lambda db: _replace(db, letter_id, cleaned, stored_at, self._read_keys)
        )


def _letter(row: Mapping[str, Any]) -> StoredDeadLetter:
    return StoredDeadLetter(**{**row, "in_statements": bool(row["in_statements"])})


def _read(connection: sqlite3.Connection, letter_id: int) -> StoredDeadLetter | None:
    row = fetch_one(connection, "read_dead_letter", letter_id)
    return None if row is None else _letter(row)


def _drop(connection: sqlite3.Connection, letter_ids: Sequence[int]) -> int:
    """Dead letters are gone, and are still counted."""
    dropped: Counter[str] = Counter()
    for letter_id in letter_ids:
        row = connection.execute(SQL["drop_dead_letter"], (letter_id,)).fetchone()
        if row is not None:
            dropped[STATEMENT_LETTER if row[0] else LETTER] += 1
    connection.execute(SQL["add_forgotten"], (to_json(dict(dropped)),))
    return dropped.total()


def _replace(
    connection: sqlite3.Connection,
    letter_id: int,
    submission: Submission,
    stored_at: int,
    read_keys: ReadKeys,
) -> Receipt | None:
    letter = _read(connection, letter_id)
    if letter is None or letter.in_statements:
        return None
    plan = new_plan(connection, [submission])
    receipt = plan.take(submission)
    if not receipt.conflicts:
        connection.execute(SQL["drop_dead_letter"], (letter_id,)).fetchone()
        plan.accepted[letter.source] -= 1
        write(connection, plan, stored_at, read_keys)
    return receipt
