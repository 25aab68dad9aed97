"""The delivery loop's side of the database: lease, settle, park and free."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence

import orjson

from pointsman.domain.records import Desired
from pointsman.store.base import WAITS, Lease, Settlement
from pointsman.store.plan import HEAD_START
from pointsman.store.sqlite.rows import SQL, from_rows

PACED, BACKOFF = 1, 2


def lease(connection: sqlite3.Connection, now: int, ttl: int, limit: int) -> list[Lease]:
    """The most urgent learners that are ready, each with all that is not delivered."""
    connection.execute(SQL["promote_learners"], (now,))
    (names,) = connection.execute(SQL["choose_learners"], (limit,)).fetchone()
    order: list[str] = orjson.loads(names)
    if not order:
        return []
    expires_at = now + ttl
    connection.execute(SQL["lease_learners"], (expires_at, now, names))
    (tokens_text,) = connection.execute(SQL["lease_tokens"], (names,)).fetchone()
    (rows,) = connection.execute(SQL["undelivered_desired"], (names,)).fetchone()
    tokens: dict[str, int] = orjson.loads(tokens_text)
    desired: defaultdict[str, list[Desired]] = defaultdict(list)
    for one in from_rows(rows):
        desired[one.learner].append(one)
    return [Lease(who, tokens[who], expires_at, tuple(desired[who])) for who in order]


def settle(
    connection: sqlite3.Connection,
    held: Lease,
    settlements: Sequence[Settlement],
    now: int,
    ready_at: int,
) -> bool:
    """Record what became of a lease's mutations; False when another lease has taken over."""
    learner = held.learner
    (ours,) = connection.execute(SQL["holds_lease"], (learner, held.token)).fetchone()
    if not ours:
        return False
    sent = {one.target: one.value for one in held.desired}
    delivered = [
        (one.target.kind, one.target.key, one.version, sent[one.target], now)
        for one in settlements
        if one.result == "delivered"
    ]
    if delivered:
        connection.execute(SQL["settle_delivered"], (_json(delivered), learner))
        connection.execute(SQL["free_waiting"], (_json([learner]), WAITS))
    retried = [(one.target.kind, one.target.key) for one in settlements if one.result == "retry"]
    if retried:
        connection.execute(SQL["settle_retry"], (_json(retried), learner))
    parked = [
        (one.target.kind, one.target.key, one.reason)
        for one in settlements
        if one.result == "parked"
    ]
    if parked:
        connection.execute(SQL["settle_parked"], (_json(parked), learner))
    due, urgent, failures = connection.execute(
        SQL["what_is_left"], (HEAD_START, learner)
    ).fetchone()
    at_once = due is not None and bool(urgent)
    hold = BACKOFF if failures else PACED
    connection.execute(SQL["give_back"], (due, int(at_once), ready_at, hold, learner))
    return True


def unpark(
    connection: sqlite3.Connection, learners: Sequence[str] | None, reason_prefix: str
) -> int:
    """Free parked state, and what waits for it; returns how many were freed."""
    names = (
        _json(list(learners))
        if learners is not None
        else connection.execute(SQL["parked_learners"], (reason_prefix,)).fetchone()[0]
    )
    freed = connection.execute(SQL["free_parked"], (names, reason_prefix)).rowcount
    if freed:
        connection.execute(SQL["free_waiting"], (names, WAITS))
        connection.execute(SQL["requeue_freed"], (names, HEAD_START))
    return freed


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
