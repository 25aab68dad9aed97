"""What is only read: bodies, gauges and the books."""

from __future__ import annotations

import zstandard

from pointsman.domain.records import InputOutcome, Position
from pointsman.domain.targets import TargetKind
from pointsman.store.base import Backlog, Books, StoredStatement
from pointsman.store.invariants import LETTER, STATEMENT_LETTER, contradictions
from pointsman.store.postgres.pool import LONG, Connection
from pointsman.store.postgres.rows import SQL


async def statement(connection: Connection, statement_id: str) -> StoredStatement | None:
    row = await connection.fetchrow(SQL["read_statement"], statement_id)
    if row is None:
        return None
    known_id, block, start, length, *rest = row
    body = zstandard.ZstdDecompressor().decompress(block)[start : start + length]
    return StoredStatement(known_id, body, *rest)


async def positions(connection: Connection, group: str) -> list[Position]:
    rows = await connection.fetch(SQL["read_positions"], group)
    return [Position(group, *row) for row in rows]


async def backlog(connection: Connection) -> Backlog:
    dirty = dict.fromkeys(TargetKind, 0)
    parked = dict.fromkeys(TargetKind, 0)
    oldest: int | None = None
    for kind, is_parked, count, since in await connection.fetch(SQL["count_undelivered"]):
        if is_parked:
            parked[TargetKind(kind)] = count
        else:
            dirty[TargetKind(kind)] = count
            oldest = since if oldest is None else min(oldest, since)
    dead_letters = await connection.fetchval(SQL["count_dead_letters"])
    unmatched = await connection.fetchval(SQL["count_unmatched"])
    return Backlog(dirty, parked, dead_letters, unmatched, oldest)


async def books(connection: Connection) -> Books:
    """Both sums, each side counted from other rows than the other; one snapshot."""
    accepted = await connection.fetchval(SQL["sum_accepted"], timeout=LONG)
    outcomes = dict.fromkeys(InputOutcome, 0)
    for outcome, count in await connection.fetch(SQL["count_outcomes"], timeout=LONG):
        outcomes[InputOutcome(outcome)] = count
    forgotten = dict(await connection.fetch(SQL["count_forgotten"]))
    for one in InputOutcome:
        outcomes[one] += forgotten.get(one.value, 0)
    not_statements, also_statements = await connection.fetchrow(SQL["count_dead_only"])
    not_statements += forgotten.get(LETTER, 0)
    also_statements += forgotten.get(STATEMENT_LETTER, 0)
    total, delivered, dirty, parked, ahead = await connection.fetchrow(
        SQL["count_desired"], timeout=LONG
    )
    bodies_missing = await connection.fetchval(SQL["bodies_missing"], timeout=LONG)
    unqueued = await connection.fetchval(SQL["dirty_unqueued"], timeout=LONG)
    unmatched = await connection.fetchval(SQL["count_unmatched"])
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
