"""What people and housekeeping do: dead letters, unmatched activities, deciding anew, pruning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

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
from pointsman.store.postgres import schema
from pointsman.store.postgres.ingest import dead_already, touch, write
from pointsman.store.postgres.pool import LONG, Connection
from pointsman.store.postgres.rows import SQL, columns, from_value
from pointsman.store.statement_index import ReadKeys

_TABLES = (
    *("statements", "blocks", "desired", "learners", "dead_letters", "unmatched"),
    *("positions", "tokens", "statement_keys", "attachments", "documents", "evidence"),
)


async def claim(
    connection: Connection, group: str, places: Sequence[tuple[str, int]]
) -> list[Position]:
    rows = await connection.fetch(SQL["claim_positions"], group, *columns(places, 2))
    return [Position(group, *row) for row in rows]


async def prune(connection: Connection, before: int, limit: int) -> int:
    """One small step: the oldest commits and their statements."""
    if not await connection.fetchval(SQL["only_pruner"]):
        return 0
    rows = await connection.fetch(SQL["prune"], before, limit)
    await _forget(connection, dict(rows))
    return sum(count for _, count in rows)


async def _forget(connection: Connection, what: Mapping[str, int]) -> None:
    if what:
        await connection.execute(SQL["add_forgotten"], *columns(what.items(), 2))


async def parked(
    connection: Connection, learners: Sequence[str], reason_prefix: str, limit: int
) -> list[Parked]:
    rows = await connection.fetch(SQL["list_parked"], reason_prefix, list(learners), limit)
    return [
        Parked(learner, TargetKind(kind), key, from_value(value), since, reason)
        for learner, kind, key, value, since, reason in rows
    ]


async def unmatched(connection: Connection, limit: int) -> list[UnmatchedSummary]:
    return [UnmatchedSummary(*row) for row in await connection.fetch(SQL["list_unmatched"], limit)]


async def dead_letters(
    connection: Connection, reason_prefix: str, source: str | None, after: int, limit: int
) -> list[StoredDeadLetter]:
    rows = await connection.fetch(SQL["list_dead_letters"], after, reason_prefix, source, limit)
    return [StoredDeadLetter(*row) for row in rows]


async def dead_letter(connection: Connection, letter_id: int) -> StoredDeadLetter | None:
    row = await connection.fetchrow(SQL["read_dead_letter"], letter_id)
    return None if row is None else StoredDeadLetter(*row)


async def drop(connection: Connection, letter_ids: Sequence[int]) -> int:
    """Dead letters are gone, and are still counted."""
    rows = await connection.fetch(SQL["drop_dead_letters"], list(letter_ids))
    dropped = Counter(STATEMENT_LETTER if row[0] else LETTER for row in rows)
    await _forget(connection, dropped)
    return dropped.total()


async def revive(
    connection: Connection,
    letter_id: int,
    submission: Submission,
    stored_at: int,
    shard: int,
    read_keys: ReadKeys,
) -> Receipt | None:
    touched = await touch(connection, [submission])
    letter = await dead_letter(connection, letter_id)
    if letter is None or letter.in_statements:
        return None
    plan = touched.plan()
    receipt = plan.take(submission)
    if dead := await dead_already(connection, plan):
        plan = touched.plan(dead)
        receipt = plan.take(submission)
    if not receipt.conflicts:
        if not await connection.fetch(SQL["drop_dead_letters"], [letter_id]):
            return None
        plan.accepted[letter.source] -= 1
        await write(connection, plan, stored_at, shard, read_keys)
    return receipt


async def redecide(
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
        result = await _redecide(connection, submissions, now, shard, read_keys)
    except BaseException:
        await savepoint.rollback()
        raise
    if dry_run:
        await savepoint.rollback()
    else:
        await savepoint.commit()
    return result


async def _redecide(
    connection: Connection,
    submissions: Sequence[Submission],
    now: int,
    shard: int,
    read_keys: ReadKeys,
) -> Replayed:
    touched = await touch(connection, submissions)
    ids = [one.items[0].statement_id for one in submissions]
    rows = await connection.fetch(SQL["lock_outcomes"], ids)
    before = {name: InputOutcome(outcome) for name, outcome in rows}
    replay = _replay(Replay(touched.plan(), before), submissions)
    if dead := await dead_already(connection, replay.plan):
        replay = _replay(Replay(touched.plan(dead), before), submissions)
    await write(connection, replay.plan, now, shard, read_keys)
    changed = [(name, outcome.value) for name, outcome in replay.changed.items()]
    await connection.execute(SQL["change_outcomes"], *columns(changed, 2))
    if replay.revived:
        gone = await connection.fetch(SQL["drop_revived"], replay.revived)
        dropped_before = len(set(replay.revived)) - len(gone)
        await _forget(connection, {STATEMENT_LETTER: -dropped_before})
    await connection.execute(SQL["drop_matched"])
    return replay.result()


def _replay(replay: Replay, submissions: Sequence[Submission]) -> Replay:
    for submission in submissions:
        replay.take(submission)
    return replay


async def remembered(
    connection: Connection, since: int, after: tuple[int, str] | None, limit: int
) -> list[Remembered]:
    rows = await connection.fetch(SQL["remembered"], since, *(after or (-1, "")), limit)
    blocks = await connection.fetch(SQL["read_blocks"], list({row[1] for row in rows}))
    decompressor = zstandard.ZstdDecompressor()
    bodies = {block: decompressor.decompress(data) for block, data in blocks}
    return [_remembered(row, bodies[row[1]]) for row in rows if row[1] in bodies]


def _remembered(row: Sequence[Any], bodies: bytes) -> Remembered:
    name, block, start, length, *rest, outcome = row
    kept = StoredStatement(name, bodies[start : start + length], *rest)
    return Remembered(kept, InputOutcome(outcome), (block, name))


async def stats(connection: Connection) -> Stats:
    rows = {
        table: await connection.fetchval(f"SELECT count(*) FROM {table}", timeout=LONG)  # noqa: S608 - ours
        for table in _TABLES
    }
    sizes = dict(await connection.fetch(SQL["table_sizes"]))
    oldest = await connection.fetchval(SQL["oldest_block"])
    return Stats(await schema.version(connection), rows, sizes, oldest)
