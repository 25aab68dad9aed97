"""Writes the history of learners, within the transaction that changes their state."""

from __future__ import annotations

from collections.abc import Sequence

from pointsman.store.commit_history import CommitHistory
from pointsman.store.postgres.rows import SQL, columns
from pointsman.store.postgres.session import Connection


async def write_moves(connection: Connection, history: CommitHistory, at: int) -> None:
    """What a commit did to each learner's targets."""
    rows = [(learner, bool(moved), data) for learner, moved, data in history.rows()]
    if rows:
        await connection.execute(SQL["insert_moves"], at, *columns(rows, 3))


async def write_turns(
    connection: Connection, rows: Sequence[tuple[str, str]], at: int, *, publish: bool = False
) -> None:
    """(learner, data) of each person whom a turn or a reading was about."""
    if rows:
        await connection.execute(SQL["insert_turns"], at, publish, *columns(rows, 2))
