"""Writes the history of learners, within the transaction that changes their state."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache

from pointsman.store.commit_history import CommitHistory
from pointsman.store.sqlite.rows import SQL

#: rows of one INSERT, and one row of it
_AT_ONCE, _ROW = 64, "(?, ?, ?, ?)"


def write_moves(connection: sqlite3.Connection, history: CommitHistory, at: int) -> None:
    """What a commit did to each learner's targets."""
    rows = list(history.rows())
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        values = [value for learner, moved, data in some for value in (learner, at, moved, data)]
        connection.execute(_insert_moves(len(some)), values)


@cache
def _insert_moves(rows: int) -> str:
    """One step for many rows, as ever here; values are bound, for JSON takes twice the time."""
    return f"{SQL['insert_moves']} {', '.join([_ROW] * rows)}"


def write_turns(
    connection: sqlite3.Connection,
    rows: Sequence[tuple[str, str]],
    at: int,
    *,
    publish: bool = False,
) -> None:
    """(learner, data) of each person whom a turn or a reading was about."""
    for learner, data in rows:
        connection.execute(SQL["insert_turn"], (learner, at, data, int(publish)))
