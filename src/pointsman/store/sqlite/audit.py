"""The audit's side of the database: what to look at, what was seen, and what is known already."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence

import orjson

from pointsman.domain.records import Desired
from pointsman.domain.targets import Target, is_completion
from pointsman.store.base import Agreement, Audited, AuditFinding, KnownDelivered
from pointsman.store.merge import take_as_delivered
from pointsman.store.plan import HEAD_START
from pointsman.store.sqlite.rows import SQL, from_rows

#: what a row has been through when a second disagreement parks it
_TRIED = ("resent", "drift")
_CHUNK = 500


def sample(
    connection: sqlite3.Connection, limit: int, settled_before: int, again_before: int
) -> dict[str, tuple[Desired, ...]]:
    """Learners to look at, each with all that is delivered, settled and can be read back."""
    (names,) = connection.execute(SQL["choose_unaudited"], (settled_before, limit)).fetchone()
    if names == "[]":
        (names,) = connection.execute(SQL["choose_audited"], (again_before, limit)).fetchone()
    (rows,) = connection.execute(SQL["delivered_desired"], (names, settled_before)).fetchone()
    return _by_learner(from_rows(rows))


def settle(
    connection: sqlite3.Connection, learner: str, findings: Sequence[AuditFinding], now: int
) -> dict[Target, Audited]:
    """Record findings, each only where its row is still what was looked at."""
    outcomes = {one.target: _settle(connection, learner, one, now) for one in findings}
    if Audited.RESENT in outcomes.values():
        connection.execute(SQL["queue_resent"], (learner, HEAD_START))
    return outcomes


def _settle(
    connection: sqlite3.Connection, learner: str, finding: AuditFinding, now: int
) -> Audited:
    key = (learner, finding.target.kind, finding.target.key, finding.version)
    row = connection.execute(SQL["audited_row"], key).fetchone()
    if row is None:
        return Audited.MOVED
    if finding.result != "differs":
        result = "agrees" if finding.result == "agrees" else row[0]
        connection.execute(SQL["audit_looked"], (now, result, *key))
        return Audited(finding.result)
    if row[0] in _TRIED:
        connection.execute(SQL["audit_undo"], (now, "drift", finding.reason, now, *key))
        return Audited.DRIFT
    connection.execute(SQL["audit_undo"], (now, "resent", "", now, *key))
    return Audited.RESENT


def undelivered(connection: sqlite3.Connection) -> dict[str, tuple[Desired, ...]]:
    (rows,) = connection.execute(SQL["undelivered_readable"]).fetchone()
    return _by_learner(from_rows(rows))


def take_known(connection: sqlite3.Connection, known: Sequence[KnownDelivered], now: int) -> int:
    """Merge what the platform stands at, in small steps of the caller's transaction."""
    changed = 0
    for start in range(0, len(known), _CHUNK):
        chunk = known[start : start + _CHUNK]
        keys = [(one.learner, one.target.kind.value, one.target.key) for one in chunk]
        (text,) = connection.execute(
            SQL["touched_desired"], (orjson.dumps(keys).decode(),)
        ).fetchone()
        current = {(one.learner, one.target): one for one in from_rows(text)}
        for one in chunk:
            merged = take_as_delivered(current.get((one.learner, one.target)), one, now)
            if merged is not None:
                connection.execute(SQL["import_desired"], _row(merged, now))
                current[one.learner, one.target] = merged
                changed += 1
    return changed


def agreement(connection: sqlite3.Connection) -> list[Agreement]:
    """By place, the ones that agree least first."""
    return [Agreement(*row) for row in connection.execute(SQL["agreement"])]


def _by_learner(rows: Sequence[Desired]) -> dict[str, tuple[Desired, ...]]:
    found: defaultdict[str, list[Desired]] = defaultdict(list)
    for one in rows:
        found[one.learner].append(one)
    return {learner: tuple(theirs) for learner, theirs in found.items()}


def _row(one: Desired, now: int) -> tuple[object, ...]:
    return (
        one.learner,
        one.target.kind,
        one.target.key,
        one.value,
        one.version,
        one.occurred_at,
        one.statement_id,
        one.rule,
        one.since,
        one.changed_at,
        orjson.dumps([[target.kind, target.key] for target in one.after]).decode(),
        orjson.dumps([[a.registration, a.value, a.occurred_at] for a in one.attempts]).decode(),
        one.delivered_version,
        one.delivered_value,
        now,
        int(is_completion(one.target, one.value)),
        one.read_back,
    )
