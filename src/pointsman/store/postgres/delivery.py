"""The delivery loop's side of the database: lease, settle, park and free.

Leases are taken with SKIP LOCKED, so replicas never wait for each other's learners, and fenced by a
token that grows with each lease.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pointsman.domain.records import Desired
from pointsman.store.base import WAITS, Lease, Settlement
from pointsman.store.plan import HEAD_START
from pointsman.store.postgres.ingest import lock
from pointsman.store.postgres.pool import Connection
from pointsman.store.postgres.rows import SQL, columns, from_rows, to_value
from pointsman.store.strip_nul import text

PACED, BACKOFF = 1, 2


async def lease(connection: Connection, now: int, ttl: int, limit: int) -> list[Lease]:
    """The most urgent learners that are ready, each with all that is not delivered."""
    await connection.execute(SQL["promote_learners"], now)
    expires_at = now + ttl
    rows = await connection.fetch(SQL["lease_learners"], expires_at, limit, now)
    if not rows:
        return []
    names = [learner for learner, _, _ in rows]
    desired: defaultdict[str, list[Desired]] = defaultdict(list)
    for one in from_rows(await connection.fetch(SQL["undelivered_desired"], names)):
        desired[one.learner].append(one)
    urgent_first = sorted(rows, key=lambda row: (row[2], row[0]))
    return [Lease(who, token, expires_at, tuple(desired[who])) for who, token, _ in urgent_first]


async def settle(
    connection: Connection,
    held: Lease,
    settlements: Sequence[Settlement],
    now: int,
    ready_at: int,
) -> bool:
    """Record what became of a lease's mutations; False when another lease has taken over."""
    learner = held.learner
    if not await connection.fetchval(SQL["lock_lease"], learner, held.token):
        return False
    sent = {one.target: to_value(one.value) for one in held.desired}
    delivered = [
        (one.target.kind.value, one.target.key, one.version, sent[one.target])
        for one in settlements
        if one.result == "delivered"
    ]
    if delivered:
        await connection.execute(SQL["settle_delivered"], learner, *columns(delivered, 4), now)
        await connection.execute(SQL["free_waiting"], [learner], WAITS)
    retried = [
        (one.target.kind.value, one.target.key) for one in settlements if one.result == "retry"
    ]
    if retried:
        await connection.execute(SQL["settle_retry"], learner, *columns(retried, 2))
    parked = [
        (one.target.kind.value, one.target.key, text(one.reason))
        for one in settlements
        if one.result == "parked"
    ]
    if parked:
        await connection.execute(SQL["settle_parked"], learner, *columns(parked, 3))
    due, urgent, failures = await connection.fetchrow(SQL["what_is_left"], learner, HEAD_START)
    at_once = due is not None and bool(urgent)
    hold = BACKOFF if failures else PACED
    await connection.execute(SQL["give_back"], learner, due, at_once, ready_at, hold)
    return True


async def unpark(connection: Connection, learners: Sequence[str] | None, reason_prefix: str) -> int:
    """Free parked state, and what waits for it; returns how many were freed."""
    if learners is None:
        rows = await connection.fetch(SQL["parked_learners"], reason_prefix)
        names = [row[0] for row in rows]
    else:
        names = list(learners)
    if not names:
        return 0
    await lock(connection, names)
    freed = _count(await connection.execute(SQL["free_parked"], names, reason_prefix))
    if freed:
        await connection.execute(SQL["free_waiting"], names, WAITS)
        await connection.execute(SQL["requeue_freed"], names, HEAD_START)
    return freed


def _count(tag: str) -> int:
    """Rows, from a command's tag such as `UPDATE 3`."""
    return int(tag.rpartition(" ")[2])
