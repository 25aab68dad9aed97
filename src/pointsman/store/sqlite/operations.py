"""What people and housekeeping do: dead letters, unmatched activities, deciding anew, pruning."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import zstandard

from pointsman.domain.records import InputOutcome, Position, Receipt, Submission
from pointsman.domain.targets import TargetKind
from pointsman.store.base import (
    Parked,
    Remembered,
    Replayed,
    Stats,
    StoredDeadLetter,
    StoredStatement,
    UnmatchedSummary,
)
from pointsman.store.invariants import LETTER, STATEMENT_LETTER
from pointsman.store.plan import Replay
from pointsman.store.sqlite import statement_index
from pointsman.store.sqlite.ingest import new_plan, write
from pointsman.store.sqlite.rows import SQL
from pointsman.store.statement_index import ReadKeys

_TABLES = (
    *("statements", "blocks", "desired", "learners", "dead_letters", "unmatched"),
    *("positions", "tokens", "statement_keys", "attachments", "documents", "evidence"),
)


def claim(
    connection: sqlite3.Connection, group: str, places: Sequence[tuple[str, int]]
) -> list[Position]:
    found = []
    for topic, partition in places:
        row = connection.execute(SQL["claim_position"], (group, topic, partition)).fetchone()
        found.append(Position(group, topic, partition, *row))
    return found


def prune(connection: sqlite3.Connection, before: int, limit: int) -> int:
    """One small step: the oldest commits and their statements."""
    (blocks,) = connection.execute(SQL["prunable_blocks"], (before, limit)).fetchone()
    if blocks == "[]":
        return 0
    (outcomes,) = connection.execute(SQL["outcomes_of_blocks"], (blocks,)).fetchone()
    connection.execute(SQL["add_forgotten"], (outcomes,))
    statement_index.forget(connection, blocks)
    pruned = connection.execute(SQL["prune_statements"], (blocks,)).rowcount
    connection.execute(SQL["prune_blocks"], (blocks,))
    return pruned


def parked(
    connection: sqlite3.Connection, learners: Sequence[str], reason_prefix: str, limit: int
) -> list[Parked]:
    rows = connection.execute(SQL["list_parked"], (reason_prefix, _json(list(learners)), limit))
    return [
        Parked(learner, TargetKind(kind), key, value, since, reason)
        for learner, kind, key, value, since, reason in rows
    ]


def unmatched(connection: sqlite3.Connection, limit: int) -> list[UnmatchedSummary]:
    return [UnmatchedSummary(*row) for row in connection.execute(SQL["list_unmatched"], (limit,))]


def dead_letters(
    connection: sqlite3.Connection, reason_prefix: str, source: str | None, after: int, limit: int
) -> list[StoredDeadLetter]:
    rows = connection.execute(SQL["list_dead_letters"], (after, reason_prefix, source, limit))
    return [_letter(*row) for row in rows]


def dead_letter(connection: sqlite3.Connection, letter_id: int) -> StoredDeadLetter | None:
    row = connection.execute(SQL["read_dead_letter"], (letter_id,)).fetchone()
    return None if row is None else _letter(*row)


def _letter(*row: Any) -> StoredDeadLetter:
    number, source, origin, reason, statement_id, in_statements, *rest = row
    return StoredDeadLetter(
        number, source, origin, reason, statement_id, bool(in_statements), *rest
    )


def drop(connection: sqlite3.Connection, letter_ids: Sequence[int]) -> int:
    """Dead letters are gone, and are still counted."""
    dropped: Counter[str] = Counter()
    for letter_id in letter_ids:
        row = connection.execute(SQL["drop_dead_letter"], (letter_id,)).fetchone()
        if row is not None:
            dropped[STATEMENT_LETTER if row[0] else LETTER] += 1
    connection.execute(SQL["add_forgotten"], (_json(dict(dropped)),))
    return dropped.total()


def revive(
    connection: sqlite3.Connection,
    letter_id: int,
    submission: Submission,
    stored_at: int,
    read_keys: ReadKeys,
) -> Receipt | None:
    letter = dead_letter(connection, letter_id)
    if letter is None or letter.in_statements:
        return None
    plan = new_plan(connection, [submission])
    receipt = plan.take(submission)
    if not receipt.conflicts:
        connection.execute(SQL["drop_dead_letter"], (letter_id,)).fetchone()
        plan.accepted[letter.source] -= 1
        write(connection, plan, stored_at, read_keys)
    return receipt


def redecide(
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
        result = _redecide(connection, submissions, now, read_keys)
        if dry_run:
            connection.execute("ROLLBACK TO redecide")
    finally:
        connection.execute("RELEASE redecide")
    return result


def _redecide(
    connection: sqlite3.Connection,
    submissions: Sequence[Submission],
    now: int,
    read_keys: ReadKeys,
) -> Replayed:
    ids = [one.items[0].statement_id for one in submissions]
    (text,) = connection.execute(SQL["outcomes_of_statements"], (_json(ids),)).fetchone()
    before = {name: InputOutcome(outcome) for name, outcome in orjson.loads(text).items()}
    replay = Replay(new_plan(connection, submissions), before)
    for submission in submissions:
        replay.take(submission)
    write(connection, replay.plan, now, read_keys)
    connection.execute(SQL["change_outcomes"], (_json(replay.changed),))
    if replay.revived:
        gone = connection.execute(SQL["drop_revived"], (_json(replay.revived),)).fetchall()
        dropped_before = len(set(replay.revived)) - len(gone)
        connection.execute(SQL["add_forgotten"], (_json({STATEMENT_LETTER: -dropped_before}),))
    connection.execute(SQL["drop_matched"])
    return replay.result()


def remembered(
    connection: sqlite3.Connection, since: int, after: tuple[int, str] | None, limit: int
) -> list[Remembered]:
    rows = connection.execute(SQL["remembered"], (since, *(after or (-1, "")), limit)).fetchall()
    bodies: dict[int, bytes] = {}
    found = []
    for name, block, start, length, *rest, outcome in rows:
        if block not in bodies:
            (data,) = connection.execute(SQL["read_block"], (block,)).fetchone()
            bodies[block] = zstandard.ZstdDecompressor().decompress(data)
        body = bodies[block][start : start + length]
        kept = StoredStatement(name, body, *rest)
        found.append(Remembered(kept, InputOutcome(outcome), (block, name)))
    return found


def stats(connection: sqlite3.Connection, path: Path) -> Stats:
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    rows = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
        for table in _TABLES
    }
    (oldest,) = connection.execute(SQL["oldest_block"]).fetchone()
    files = [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))]
    sizes = {one.name: one.stat().st_size for one in files if one.exists()}
    return Stats(schema, rows, sizes, oldest)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
