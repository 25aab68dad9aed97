"""Chooses what the audit reads back, and records what it found."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import ReadBackPlace, Target
from pointsman.store.audit_entry import entry_of, facts_by_place
from pointsman.store.commit_history import CommitHistory
from pointsman.store.desired_codec import by_learner
from pointsman.store.history_codec import row_of_readings
from pointsman.store.merge import merge_delivered
from pointsman.store.records import Agreement, Audited, AuditFinding, KnownDelivered
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.ingest import write_moves
from pointsman.store.sqlite.rows import (
    CODEC,
    SQL,
    desired_from_json,
    fetch,
    fetch_one,
    read_desired,
    to_json,
)
from pointsman.store.sqlite.settling import write_turns

_CHUNK = 500


class SqliteAudit(SqliteConnections):
    """What was read back from the platform."""

    async def delivered_sample(
        self, *, limit: int, settled_before: int, again_before: int, suspected_before: int = 0
    ) -> dict[str, tuple[Desired, ...]]:
        return await self._read(
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
        return await self._write(lambda db: _record(db, learner, findings, now, suspected_before))

    async def undelivered(self) -> dict[str, tuple[Desired, ...]]:
        def read(connection: sqlite3.Connection) -> dict[str, tuple[Desired, ...]]:
            (rows,) = connection.execute(SQL["undelivered_readable"]).fetchone()
            return by_learner(desired_from_json(rows))

        return await self._read(read)

    async def mark_delivered(self, known: Sequence[KnownDelivered], *, now: int) -> int:
        return await self._write(lambda db: _mark_delivered(db, known, now))

    async def agreement(self) -> list[Agreement]:
        def read(connection: sqlite3.Connection) -> list[Agreement]:
            rows = connection.execute(SQL["agreement"])
            return [Agreement(ReadBackPlace.from_text(place), *row) for place, *row in rows]

        return await self._read(read)


def _sample(
    connection: sqlite3.Connection,
    limit: int,
    settled_before: int,
    again_before: int,
    suspected_before: int,
) -> dict[str, tuple[Desired, ...]]:
    """Learners to look at, each with all that is delivered, settled and can be read back."""
    (names,) = connection.execute(SQL["choose_suspected"], (suspected_before, limit)).fetchone()
    if names == "[]":
        (names,) = connection.execute(SQL["choose_unaudited"], (settled_before, limit)).fetchone()
    if names == "[]":
        (names,) = connection.execute(SQL["choose_audited"], (again_before, limit)).fetchone()
    (rows,) = connection.execute(SQL["delivered_desired"], (names, settled_before)).fetchone()
    return by_learner(desired_from_json(rows))


def _record(
    connection: sqlite3.Connection,
    learner: str,
    findings: Sequence[AuditFinding],
    now: int,
    suspected_before: int | None,
) -> dict[Target, Audited]:
    """Record findings, each only where its row is still what was looked at."""
    facts = facts_by_place(fetch(connection, "facts_of_learners", to_json([learner])))
    outcomes = {}
    for finding in findings:
        key = (learner, finding.target.kind, finding.target.key, finding.version)
        row = fetch_one(connection, "audited_row", *key)
        entry = None if row is None else entry_of(row, finding, facts, now, suspected_before)
        outcomes[finding.target] = Audited.MOVED if entry is None else entry.outcome
        if entry is None:
            continue
        if entry.is_sent_again:
            values = (now, entry.audit, entry.parked, entry.code, now, *key)
            connection.execute(SQL["audit_differs"], values)
        else:
            connection.execute(SQL["audit_looked"], (entry.audited_at, entry.audit, *key))
        if finding.deadline:
            connection.execute(SQL["note_deadline"], (finding.deadline, *key))
    if data := row_of_readings(findings, outcomes):
        write_turns(connection, [(learner, data, now)])
    if Audited.RESENT in outcomes.values():
        connection.execute(SQL["add_learner"], (learner,))
        connection.execute(SQL["requeue_freed"], (to_json([learner]),))
    return outcomes


def _mark_delivered(
    connection: sqlite3.Connection, known: Sequence[KnownDelivered], now: int
) -> int:
    """Merge what the platform shows, in small steps of the caller's transaction."""
    changed = 0
    for start in range(0, len(known), _CHUNK):
        chunk = known[start : start + _CHUNK]
        current = read_desired(connection, {(shown.recipient, shown.target) for shown in chunk})
        merged_rows = []
        history = CommitHistory()
        for shown in chunk:
            key = (shown.recipient, shown.target)
            before = current.get(key)
            merged = merge_delivered(before, shown, now)
            if merged is not None:
                history.note_import(shown, None if before is None else before.value, now)
                current[key] = merged
                merged_rows.append(CODEC.imported_row(merged))
                changed += 1
        connection.execute(SQL["import_desired"], (now, to_json(merged_rows)))
        write_moves(connection, history, now)
    return changed
