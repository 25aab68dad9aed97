"""Writes the history of learners, within the transaction that changes their state."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pointsman.store.commit_history import CommitHistory
from pointsman.store.sqlite.rows import SQL, to_json


def write_moves(connection: sqlite3.Connection, history: CommitHistory, at: int) -> None:
    """What a commit did to each learner's targets."""
    if rows := list(history.rows()):
        connection.execute(SQL["insert_moves"], (at, to_json(rows)))


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
