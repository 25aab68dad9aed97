"""The audit's side of the database: what to look at, what was seen, and what is known already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pointsman.domain.records import Desired
from pointsman.domain.targets import Target
from pointsman.store.base import Agreement, Audited, AuditFinding, KnownDelivered
from pointsman.store.merge import take_as_delivered
from pointsman.store.plan import HEAD_START
from pointsman.store.postgres.ingest import lock
from pointsman.store.postgres.pool import Connection
from pointsman.store.postgres.rows import SQL, columns, from_rows, to_imported_row
from pointsman.store.strip_nul import text

#: what a row has been through when a second disagreement parks it
_TRIED = ("resent", "drift")


async def sample(
    connection: Connection, limit: int, settled_before: int, again_before: int
) -> dict[str, tuple[Desired, ...]]:
    """Learners to look at, each with all that is delivered, settled and can be read back."""
    rows = await connection.fetch(SQL["choose_unaudited"], settled_before, limit)
    if not rows:
        rows = await connection.fetch(SQL["choose_audited"], again_before, limit)
    names = [row[0] for row in rows]
    found = await connection.fetch(SQL["delivered_desired"], names, settled_before)
    return _by_learner(from_rows(found))


async def settle(
    connection: Connection, learner: str, findings: Sequence[AuditFinding], now: int
) -> dict[Target, Audited]:
    """Record findings, each only where its row is still what was looked at."""
    await lock(connection, [learner])
    outcomes = {one.target: await _settle(connection, learner, one, now) for one in findings}
    if Audited.RESENT in outcomes.values():
        await connection.execute(SQL["requeue_freed"], [learner], HEAD_START)
    return outcomes


async def _settle(connection: Connection, learner: str, finding: AuditFinding, now: int) -> Audited:
    key = (learner, finding.target.kind.value, finding.target.key, finding.version)
    row = await connection.fetchrow(SQL["audited_row"], *key)
    if row is None:
        return Audited.MOVED
    if finding.result != "differs":
        result = "agrees" if finding.result == "agrees" else row[0]
        await connection.execute(SQL["audit_looked"], *key, now, result)
        return Audited(finding.result)
    if row[0] in _TRIED:
        await connection.execute(SQL["audit_undo"], *key, now, "drift", text(finding.reason))
        return Audited.DRIFT
    await connection.execute(SQL["audit_undo"], *key, now, "resent", "")
    return Audited.RESENT


async def undelivered(connection: Connection) -> dict[str, tuple[Desired, ...]]:
    return _by_learner(from_rows(await connection.fetch(SQL["undelivered_readable"])))


async def take_known(connection: Connection, known: Sequence[KnownDelivered], now: int) -> int:
    """Merge what the platform stands at."""
    await lock(connection, {one.learner for one in known})
    keys = {(one.learner, one.target.kind.value, one.target.key) for one in known}
    rows = await connection.fetch(SQL["touched_desired"], *columns(keys, 3))
    current = {(one.learner, one.target): one for one in from_rows(rows)}
    changed = 0
    for one in known:
        merged = take_as_delivered(current.get((one.learner, one.target)), one, now)
        if merged is not None:
            await connection.execute(SQL["import_desired"], *to_imported_row(merged, now))
            current[one.learner, one.target] = merged
            changed += 1
    return changed


async def agreement(connection: Connection) -> list[Agreement]:
    """By place, the ones that agree least first."""
    return [Agreement(*row) for row in await connection.fetch(SQL["agreement"])]


def _by_learner(rows: Sequence[Desired]) -> dict[str, tuple[Desired, ...]]:
    found: defaultdict[str, list[Desired]] = defaultdict(list)
    for one in rows:
        found[one.learner].append(one)
    return {learner: tuple(theirs) for learner, theirs in found.items()}
