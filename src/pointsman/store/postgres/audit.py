"""The audit's side of the database: what to look at, what was seen, and what is known already."""

from __future__ import annotations

from collections.abc import Sequence

from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import ReadBackPlace, Target
from pointsman.store.audit_entry import entry_of, facts_by_place
from pointsman.store.commit_history import CommitHistory
from pointsman.store.desired_codec import IMPORTED, by_learner
from pointsman.store.history_codec import row_of_readings
from pointsman.store.merge import merge_delivered
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.history_rows import write_moves, write_turns
from pointsman.store.postgres.ingest import lock
from pointsman.store.postgres.rows import CODEC, SQL, columns
from pointsman.store.postgres.session import Connection
from pointsman.store.records import Agreement, Audited, AuditFinding, KnownDelivered
from pointsman.store.strip_nul import text


class PostgresAudit(PostgresConnections):
    """What was read back from the platform."""

    async def delivered_sample(
        self, *, limit: int, settled_before: int, again_before: int, suspected_before: int = 0
    ) -> dict[str, tuple[Desired, ...]]:
        return await self._pool.read(
            lambda db: _sample(db, limit, settled_before, again_before, suspected_before)
        )

    async def audit(
        self,
        learner: str,
        findings: Sequence[AuditFinding],
        *,
        now: int,
        suspected_before: int | None = None,
    ) -> dict[Target, Audited]:
        return await self._pool.transaction(
            lambda db: _record(db, learner, findings, now, suspected_before)
        )

    async def undelivered(self) -> dict[str, tuple[Desired, ...]]:
        rows = await self._pool.read(lambda db: db.fetch(SQL["undelivered_readable"]))
        return by_learner(map(CODEC.decode, rows))

    async def mark_delivered(self, known: Sequence[KnownDelivered], *, now: int) -> int:
        return await self._pool.transaction(lambda db: _mark_delivered(db, known, now))

    async def agreement(self) -> list[Agreement]:
        rows = await self._pool.read(lambda db: db.fetch(SQL["agreement"]))
        return [Agreement(ReadBackPlace.from_text(place), *row) for place, *row in rows]


async def _sample(
    connection: Connection,
    limit: int,
    settled_before: int,
    again_before: int,
    suspected_before: int,
) -> dict[str, tuple[Desired, ...]]:
    """Learners to look at, each with all that is delivered, settled and can be read back."""
    rows = await connection.fetch(SQL["choose_suspected"], suspected_before, limit)
    if not rows:
        rows = await connection.fetch(SQL["choose_unaudited"], settled_before, limit)
    if not rows:
        rows = await connection.fetch(SQL["choose_audited"], again_before, limit)
    names = [row["learner"] for row in rows]
    delivered = await connection.fetch(SQL["delivered_desired"], names, settled_before)
    return by_learner(map(CODEC.decode, delivered))


async def _record(
    connection: Connection,
    learner: str,
    findings: Sequence[AuditFinding],
    now: int,
    suspected_before: int | None,
) -> dict[Target, Audited]:
    """Record findings, each only where its row is still what was looked at."""
    await lock(connection, [learner])
    facts = facts_by_place(await connection.fetch(SQL["facts_of_learners"], [learner]))
    outcomes = {}
    for finding in findings:
        key = (learner, finding.target.kind.value, finding.target.key, finding.version)
        row = await connection.fetchrow(SQL["audited_row"], *key)
        entry = None if row is None else entry_of(row, finding, facts, now, suspected_before)
        outcomes[finding.target] = Audited.MOVED if entry is None else entry.outcome
        if entry is None:
            continue
        if entry.is_sent_again:
            values = (*key, now, entry.audit, text(entry.parked), entry.code)
            await connection.execute(SQL["audit_differs"], *values)
        else:
            await connection.execute(SQL["audit_looked"], *key, entry.audited_at, entry.audit)
        if finding.deadline:
            await connection.execute(SQL["note_deadline"], *key, finding.deadline)
    if data := row_of_readings(findings, outcomes):
        await write_turns(connection, [(learner, data)], now)
    if Audited.RESENT in outcomes.values():
        await connection.execute(SQL["requeue_freed"], [learner])
    return outcomes


async def _mark_delivered(connection: Connection, known: Sequence[KnownDelivered], now: int) -> int:
    """Merge what the platform shows."""
    await lock(connection, {str(one.recipient) for one in known})
    keys = {(str(one.recipient), one.target.kind.value, one.target.key) for one in known}
    rows = await connection.fetch(SQL["desired_by_key"], *columns(keys, 3))
    current = {(one.recipient, one.target): one for one in map(CODEC.decode, rows)}
    changed = 0
    history = CommitHistory()
    for one in known:
        key = (one.recipient, one.target)
        before = current.get(key)
        merged = merge_delivered(before, one, now)
        if merged is not None:
            history.note_import(one, None if before is None else before.value, now)
            arrays = columns([CODEC.imported_row(merged)], len(IMPORTED))
            await connection.execute(SQL["import_desired"], now, *arrays)
            current[key] = merged
            changed += 1
    await write_moves(connection, history, now)
    return changed
