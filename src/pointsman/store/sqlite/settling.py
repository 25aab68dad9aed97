"""Settles turns: all that wait for one transaction together, in a few steps."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence

import orjson

from pointsman.domain.park_codes import ParkCode
from pointsman.store.history_codec import rows_of_turn
from pointsman.store.settled_turns import (
    LeftToSend,
    SettledTurn,
    delivered_rows,
    freed,
    ours,
    parked_rows,
    queue_row,
    retried_rows,
)
from pointsman.store.sqlite.rows import SQL, insert_rows, to_json


def settle_turns(
    connection: sqlite3.Connection, turns: Sequence[SettledTurn], *, publish: bool
) -> list[bool]:
    """Record what became of the mutations of each; False where another lease has taken over."""
    names = to_json([turn.learner for turn in turns])
    (leases,) = connection.execute(SQL["held_leases"], (names,)).fetchone()
    answers = ours(turns, {(learner, token) for learner, token in orjson.loads(leases)})
    held = [turn for turn, is_ours in zip(turns, answers, strict=True) if is_ours]
    if not held:
        return answers
    delivered = [row for turn in held for row in delivered_rows(turn)]
    insert_rows(connection, "settle_delivered", delivered)
    insert_rows(connection, "settle_retry", [row for turn in held for row in retried_rows(turn)])
    insert_rows(connection, "settle_parked", [row for turn in held for row in parked_rows(turn)])
    left = _left_to_send(connection, held, {learner for learner, *_ in delivered})
    insert_rows(connection, "return_leases", [queue_row(turn, left[turn.learner]) for turn in held])
    rows = [
        (*row, turn.now)
        for turn in held
        for row in rows_of_turn(turn.lease, turn.settlements, turn.requests)
    ]
    write_turns(connection, rows, publish=publish)
    return answers


def _left_to_send(
    connection: sqlite3.Connection, turns: Sequence[SettledTurn], delivered: set[str]
) -> defaultdict[str, list[LeftToSend]]:
    """What may still be sent, by learner; what waited for something delivered is freed."""
    names = [turn.learner for turn in turns]
    (text,) = connection.execute(SQL["left_to_send"], (to_json(names),)).fetchone()
    undelivered = [LeftToSend(*row) for row in orjson.loads(text)]
    free = freed(undelivered, delivered)
    if free:
        connection.execute(SQL["free_waiting"], (to_json(list(free)), ParkCode.WAITS_FOR))
    left: defaultdict[str, list[LeftToSend]] = defaultdict(list)
    for row in undelivered:
        if not row.parked or (row.park_code == ParkCode.WAITS_FOR and row.learner in free):
            left[row.learner].append(row)
    return left


def write_turns(
    connection: sqlite3.Connection, rows: Sequence[tuple[str, str, int]], *, publish: bool = False
) -> None:
    """(learner, data, at) of each person whom a turn or a reading was about.

    A row's id is its time, or the next number where that is taken: so times are found without an
    index.
    """
    if not rows:
        return
    (last,) = connection.execute(SQL["last_turn"]).fetchone()
    numbered = []
    for learner, data, at in rows:
        last = max(at, last + 1)
        numbered.append((last, learner, at, data, int(publish)))
    insert_rows(connection, "insert_turns", numbered)
