"""Leases, settles, parks and frees desired state, for the delivery loop."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import orjson

from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import FRESH_WITHIN
from pointsman.domain.targets import Recipient
from pointsman.store.books import STATE
from pointsman.store.delivery_stores import LONGEST_PAUSE, latest_end
from pointsman.store.history_records import SentRequest
from pointsman.store.records import Lease, Settlement
from pointsman.store.settled_turns import SettledTurn
from pointsman.store.shared_calls import SharedCall
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.rows import CODEC, SQL, desired_from_json, fetch, to_json
from pointsman.store.sqlite.settling import settle_turns
from pointsman.store.turns import LONGEST_FRESHNESS, Choose, Turn, WaitingTurn, most_urgent_first

#: what `next_ready_at` says where there is nothing to send
_NEVER = 2**63 - 1
#: sorts before each queue
_BEFORE_ALL = (2, "", "")


class SqliteDelivery(SqliteConnections):
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

        def write(connection: sqlite3.Connection) -> list[Lease]:
            _end_waits(connection, now, until)
            waiting = _waiting(connection, now, limit, now + due_within)
            chosen = (choose or most_urgent_first(limit))(waiting)
            return _lease(connection, [str(one.recipient) for one in chosen], now, ttl)

        return await self._write(write)

    async def settle(
        self,
        lease: Lease,
        settlements: Sequence[Settlement],
        *,
        now: int,
        ready_at: int,
        requests: Sequence[SentRequest] = (),
    ) -> bool:
        turn = SettledTurn(lease, settlements, now, ready_at, requests)
        return await self._write(SharedCall(self._settle_turns, turn))

    def _settle_turns(
        self, connection: sqlite3.Connection, turns: Sequence[SettledTurn]
    ) -> list[bool]:
        return settle_turns(connection, turns, publish=self._publish_turns)

    async def unpark(
        self,
        recipients: Sequence[Recipient] | None = None,
        *,
        codes: Collection[ParkCode] = (),
        reason_prefix: str = "",
    ) -> int:
        return await self._write(lambda db: _unpark(db, recipients, codes, reason_prefix))

    async def drop_parked(self, states: Sequence[Desired]) -> int:
        return await self._write(lambda db: _drop_parked(db, states))

    async def retry_now(self, recipients: Sequence[Recipient]) -> None:
        names = _texts(recipients)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(SQL["forget_retry_at"], (names,))
            connection.execute(SQL["requeue_freed"], (names,))

        await self._write(write)

    async def parked(
        self,
        recipients: Sequence[Recipient] = (),
        *,
        codes: Collection[ParkCode] = (),
        reason_prefix: str = "",
        limit: int,
    ) -> list[Desired]:
        values = (reason_prefix, _texts(recipients), _texts(codes), limit)
        return await self._read(
            lambda db: [CODEC.decode(row) for row in fetch(db, "list_parked", *values)]
        )

    async def next_ready_at(self, *, due_within: int = LONGEST_FRESHNESS) -> int | None:
        def read(connection: sqlite3.Connection) -> int | None:
            (ready_at,) = connection.execute(SQL["next_ready_at"], (due_within,)).fetchone()
            return None if ready_at == _NEVER else int(ready_at)

        return await self._read(read)


def _end_waits(connection: sqlite3.Connection, now: int, until: int) -> None:
    connection.execute(SQL["promote_learners"], (now,))
    connection.execute(SQL["end_far_waits"], (until,))
    connection.execute(SQL["end_far_dues"], (now, until + LONGEST_FRESHNESS, FRESH_WITHIN * 5 // 6))


def _waiting(
    connection: sqlite3.Connection, now: int, limit: int, due_until: int
) -> list[WaitingTurn]:
    """The first of each queue, and the first deadlines."""
    rows: list[tuple[str, int, int, str, str, int]] = []
    queue = _BEFORE_ALL
    while (queue := connection.execute(SQL["first_of_next_queue"], queue).fetchone()) is not None:
        until = _NEVER if queue[0] else due_until
        rows += connection.execute(SQL["waiting_turns"], (*queue, until, limit))
    for urgent in (1, 0):
        rows += connection.execute(SQL["waiting_for_deadlines"], (urgent, now, limit))
    return [
        WaitingTurn(Recipient.from_text(learner), Turn(bool(urgent), due, source, rule, deadline))
        for learner, urgent, due, source, rule, deadline in dict.fromkeys(rows)
    ]


def _lease(connection: sqlite3.Connection, order: Sequence[str], now: int, ttl: int) -> list[Lease]:
    """Lease these, each with all that is not delivered."""
    if not order:
        return []
    names = to_json(order)
    expires_at = now + ttl
    connection.execute(SQL["lease_learners"], (expires_at, now, names))
    (tokens_text,) = connection.execute(SQL["lease_tokens"], (names,)).fetchone()
    (rows,) = connection.execute(SQL["undelivered_desired"], (names,)).fetchone()
    tokens: dict[str, int] = orjson.loads(tokens_text)
    desired: defaultdict[str, list[Desired]] = defaultdict(list)
    for record in desired_from_json(rows):
        desired[str(record.recipient)].append(record)
    return [
        Lease(Recipient.from_text(name), tokens[name], expires_at, tuple(desired[name]))
        for name in order
    ]


def _unpark(
    connection: sqlite3.Connection,
    recipients: Sequence[Recipient] | None,
    codes: Collection[ParkCode],
    reason_prefix: str,
) -> int:
    """Free parked state, and what waits for it; returns how many were freed."""
    of_codes = _texts(codes)
    if recipients is None:
        query = connection.execute(SQL["parked_learners"], (reason_prefix, of_codes))
        (names,) = query.fetchone()
    else:
        names = _texts(recipients)
    freed = connection.execute(SQL["free_parked"], (names, reason_prefix, of_codes)).rowcount
    if freed:
        connection.execute(SQL["free_waiting"], (names, ParkCode.WAITS_FOR))
        connection.execute(SQL["requeue_freed"], (names,))
    return freed


def _drop_parked(connection: sqlite3.Connection, states: Sequence[Desired]) -> int:
    rows = to_json(
        [
            (str(state.recipient), state.target.kind, state.target.key, state.version)
            for state in states
        ]
    )
    dropped = connection.execute(SQL["drop_parked"], (rows,)).rowcount
    dropped += connection.execute(SQL["fall_back_to_delivered"], (rows,)).rowcount
    if dropped:
        names = _texts({state.recipient for state in states})
        connection.execute(SQL["add_forgotten"], (to_json({STATE: dropped}),))
        connection.execute(SQL["free_waiting"], (names, ParkCode.WAITS_FOR))
        connection.execute(SQL["requeue_freed"], (names,))
    return dropped


def _texts(values: Iterable[Recipient | ParkCode]) -> str:
    return to_json([str(value) for value in values])
