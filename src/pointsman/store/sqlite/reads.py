"""What is only read: bodies, gauges and the books."""

from __future__ import annotations

import sqlite3

import zstandard

from pointsman.domain.records import UNREAD, InputOutcome, Position
from pointsman.domain.targets import TargetKind
from pointsman.store.base import Backlog, Books, StoredStatement, Window
from pointsman.store.invariants import LETTER, STATEMENT_LETTER, contradictions
from pointsman.store.sqlite.rows import SQL


def statement(connection: sqlite3.Connection, statement_id: str) -> StoredStatement | None:
    row = connection.execute(SQL["read_statement"], (statement_id,)).fetchone()
    if row is None:
        return None
    known_id, block, start, length, *rest = row
    body = zstandard.ZstdDecompressor().decompress(block)[start : start + length]
    return StoredStatement(known_id, body, *rest)


def last_commit(connection: sqlite3.Connection) -> int:
    """When the newest statement was stored; 0 where there is none."""
    (stored_at,) = connection.execute(SQL["last_commit"]).fetchone()
    return int(stored_at)


def positions(connection: sqlite3.Connection, group: str) -> list[Position]:
    rows = connection.execute(SQL["read_positions"], (group,)).fetchall()
    return [Position(group, *row) for row in rows if row[2] != UNREAD]


def window(connection: sqlite3.Connection) -> Window | None:
    row = connection.execute(SQL["read_window"]).fetchone()
    return None if row is None else Window(*row)


def backlog(connection: sqlite3.Connection) -> Backlog:
    dirty = dict.fromkeys(TargetKind, 0)
    parked = dict.fromkeys(TargetKind, 0)
    oldest: int | None = None
    for kind, is_parked, count, since in connection.execute(SQL["count_undelivered"]):
        if is_parked:
            parked[TargetKind(kind)] = count
        else:
            dirty[TargetKind(kind)] = count
            oldest = since if oldest is None else min(oldest, since)
    (dead_letters,) = connection.execute(SQL["count_dead_letters"]).fetchone()
    (unmatched,) = connection.execute(SQL["count_unmatched"]).fetchone()
    return Backlog(dirty, parked, dead_letters, unmatched, oldest)


def books(connection: sqlite3.Connection) -> Books:
    """Both sums, from one snapshot, each side counted from other rows than the other."""
    connection.execute("BEGIN")
    try:
        (accepted,) = connection.execute(SQL["sum_accepted"]).fetchone()
        outcomes = dict.fromkeys(InputOutcome, 0)
        forgotten = dict(connection.execute(SQL["count_forgotten"]).fetchall())
        for outcome, count in connection.execute(SQL["count_outcomes"]):
            outcomes[InputOutcome(outcome)] = count
        not_statements, also_statements = connection.execute(SQL["count_dead_only"]).fetchone()
        total, delivered, dirty, parked, ahead = connection.execute(SQL["count_desired"]).fetchone()
        (bodies_missing,) = connection.execute(SQL["bodies_missing"]).fetchone()
        (unqueued,) = connection.execute(SQL["dirty_unqueued"]).fetchone()
        (unmatched,) = connection.execute(SQL["count_unmatched"]).fetchone()
    finally:
        connection.execute("COMMIT")
    for outcome in InputOutcome:
        outcomes[outcome] += forgotten.get(outcome.value, 0)
    not_statements += forgotten.get(LETTER, 0)
    also_statements += forgotten.get(STATEMENT_LETTER, 0)
    problems = contradictions(
        outcomes,
        also_statements=also_statements,
        unmatched=unmatched,
        ahead=ahead,
        bodies_missing=bodies_missing,
        unqueued=unqueued,
    )
    outcomes[InputOutcome.DEAD] += not_statements
    return Books(accepted, outcomes, total, delivered, dirty, parked, problems)
