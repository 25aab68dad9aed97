"""The delivery loop's side of the database: lease, settle, park and free.

Leases are taken with SKIP LOCKED, so replicas never wait for each other's learners, and fenced by a
token that grows with each lease.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import FRESH_WITHIN
from pointsman.domain.targets import Recipient
from pointsman.store.books import STATE
from pointsman.store.delivery_stores import LONGEST_PAUSE, latest_end
from pointsman.store.history_codec import rows_of_turn
from pointsman.store.history_records import SentRequest
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.history_rows import write_turns
from pointsman.store.postgres.ingest import lock
from pointsman.store.postgres.pool import count_of
from pointsman.store.postgres.retention import add_forgotten
from pointsman.store.postgres.rows import CODEC, SQL, columns, to_value
from pointsman.store.postgres.session import Connection
from pointsman.store.records import Lease, Settlement, hold_after
from pointsman.store.strip_nul import text
from pointsman.store.turns import LONGEST_FRESHNESS, Choose, Turn, WaitingTurn, most_urgent_first


class PostgresDelivery(PostgresConnections):
    """Leases and what is settled under them, and what is parked."""

    async def lease(
        self,
        *,
        now: int,
        ttl: int,
        limit: int,
        longest_pause: int = LONGEST_PAUSE,
        choose: Choose | None = None,
        due_within: int = LONGEST_FRESHNESS,
    ) -> list[Lease]:
        until = latest_end(now, ttl, longest_pause)

        async def write(connection: Connection) -> list[Lease]:
            promoted = (now, until, LONGEST_FRESHNESS, FRESH_WITHIN * 5 // 6)
            await connection.execute(SQL["promote_learners"], *promoted)
            waiting = await _waiting(connection, now, limit, now + due_within)
            chosen = (choose or most_urgent_first(limit))(waiting)
            return await _lease(connection, [str(one.recipient) for one in chosen], now, ttl)

        return await self._pool.transaction(write)

    async def settle(
        self,
        lease: Lease,
        settlements: Sequence[Settlement],
        *,
        now: int,
        ready_at: int,
        requests: Sequence[SentRequest] = (),
    ) -> bool:
        async def write(connection: Connection) -> bool:
            settled = await _settle(connection, lease, settlements, now, ready_at)
            if settled:
                rows = rows_of_turn(lease, settlements, requests)
                await write_turns(connection, rows, now, publish=self._publish_turns)
            return settled

        return await self._pool.transaction(write)

    async def unpark(
        self,
        recipients: Sequence[Recipient] | None = None,
        *,
        codes: Collection[ParkCode] = (),
        reason_prefix: str = "",
    ) -> int:
        return await self._pool.transaction(
            lambda db: _unpark(db, recipients, list(codes), reason_prefix)
        )

    async def drop_parked(self, states: Sequence[Desired]) -> int:
        return await self._pool.transaction(lambda db: _drop_parked(db, states))

    async def retry_now(self, recipients: Sequence[Recipient]) -> None:
        names = [str(one) for one in recipients]

        async def write(connection: Connection) -> None:
            await lock(connection, names)
            await connection.execute(SQL["forget_retry_at"], names)
            await connection.execute(SQL["requeue_freed"], names)

        await self._pool.transaction(write)

    async def parked(
        self,
        recipients: Sequence[Recipient] = (),
        *,
        codes: Collection[ParkCode] = (),
        reason_prefix: str = "",
        limit: int,
    ) -> list[Desired]:
        names = [str(one) for one in recipients]
        rows = await self._pool.read(
            lambda db: db.fetch(SQL["list_parked"], reason_prefix, names, list(codes), limit)
        )
        return [CODEC.decode(row) for row in rows]

    async def next_ready_at(self, *, due_within: int = LONGEST_FRESHNESS) -> int | None:
        ready_at: int | None = await self._pool.read(
            lambda db: db.fetchval(SQL["next_ready_at"], due_within)
        )
        return ready_at


async def _waiting(
    connection: Connection, now: int, limit: int, due_until: int
) -> list[WaitingTurn]:
    """The first of each queue, and the first deadlines; nobody else leases these meanwhile."""
    rows = await connection.fetch(SQL["waiting_turns"], limit, due_until, now)
    return [
        WaitingTurn(Recipient.from_text(learner), Turn(urgent, due, source, rule, deadline))
        for learner, urgent, due, source, rule, deadline in dict.fromkeys(map(tuple, rows))
    ]


async def _lease(connection: Connection, names: Sequence[str], now: int, ttl: int) -> list[Lease]:
    """Lease these, each with all that is not delivered."""
    if not names:
        return []
    expires_at = now + ttl
    tokens = dict(await connection.fetch(SQL["lease_learners"], expires_at, now, names))
    desired: defaultdict[Recipient, list[Desired]] = defaultdict(list)
    for record in map(CODEC.decode, await connection.fetch(SQL["undelivered_desired"], names)):
        desired[record.recipient].append(record)
    leased = [(Recipient.from_text(name), tokens[name]) for name in names]
    return [
        Lease(recipient, token, expires_at, tuple(desired[recipient]))
        for recipient, token in leased
    ]


async def _settle(
    connection: Connection,
    lease: Lease,
    settlements: Sequence[Settlement],
    now: int,
    ready_at: int,
) -> bool:
    """Record what became of a lease's mutations; False when another lease has taken over."""
    learner = str(lease.recipient)
    if not await connection.fetchval(SQL["holds_lease"], learner, lease.token):
        return False
    sent = {record.target: to_value(record.value) for record in lease.desired}
    delivered = [
        (one.target.kind.value, one.target.key, one.version, sent[one.target])
        for one in settlements
        if one.result == "delivered"
    ]
    if delivered:
        await connection.execute(SQL["settle_delivered"], learner, *columns(delivered, 4), now)
        await connection.execute(SQL["free_waiting"], [learner], ParkCode.WAITS_FOR)
    retried = [
        (one.target.kind.value, one.target.key, int(one.counts), one.retry_at)
        for one in settlements
        if one.result == "retry" or (one.result == "untried" and one.retry_at)
    ]
    if retried:
        await connection.execute(SQL["settle_retry"], learner, *columns(retried, 4))
    parked = [
        (one.target.kind.value, one.target.key, text(one.reason), one.code)
        for one in settlements
        if one.result == "parked"
    ]
    if parked:
        await connection.execute(SQL["settle_parked"], learner, *columns(parked, 4))
    *turn, next_at = await connection.fetchrow(SQL["left_to_send"], learner, now, ready_at)
    wait = (next_at == 0, next_at or ready_at, hold_after(settlements))
    await connection.execute(SQL["return_lease"], learner, *turn, *wait)
    return True


async def _drop_parked(connection: Connection, states: Sequence[Desired]) -> int:
    names = sorted({str(state.recipient) for state in states})
    if not names:
        return 0
    await lock(connection, names)
    rows = columns(
        [
            (str(state.recipient), state.target.kind.value, state.target.key, state.version)
            for state in states
        ],
        4,
    )
    dropped = count_of(await connection.execute(SQL["drop_parked"], *rows))
    dropped += count_of(await connection.execute(SQL["fall_back_to_delivered"], *rows))
    if dropped:
        await add_forgotten(connection, {STATE: dropped})
        await connection.execute(SQL["free_waiting"], names, ParkCode.WAITS_FOR)
        await connection.execute(SQL["requeue_freed"], names)
    return dropped


async def _unpark(
    connection: Connection,
    recipients: Sequence[Recipient] | None,
    codes: Sequence[ParkCode],
    reason_prefix: str,
) -> int:
    """Free parked state, and what waits for it; returns how many were freed."""
    if recipients is None:
        rows = await connection.fetch(SQL["parked_learners"], reason_prefix, codes)
        names = [row["learner"] for row in rows]
    else:
        names = [str(one) for one in recipients]
    if not names:
        return 0
    await lock(connection, names)
    freed = count_of(await connection.execute(SQL["free_parked"], names, reason_prefix, codes))
    if freed:
        await connection.execute(SQL["free_waiting"], names, ParkCode.WAITS_FOR)
        await connection.execute(SQL["requeue_freed"], names)
    return freed
