"""The record of what operators did."""

from __future__ import annotations

import sqlite3

from pointsman.domain.operator_actions import ActionKind, OperatorAction
from pointsman.store.operator_action_store import action_of_row, action_values
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.rows import SQL, fetch


class SqliteOperatorActions(SqliteConnections):
    """Who did what, when, and from where."""

    async def record_action(self, action: OperatorAction) -> int:
        values = action_values(action)

        def write(connection: sqlite3.Connection) -> int:
            (action_id,) = connection.execute(SQL["record_action"], values).fetchone()
            return int(action_id)

        return await self._write(write)

    async def finish_action(self, action_id: int, outcome: str) -> None:
        values = (outcome, action_id)
        await self._write(lambda db: db.execute(SQL["finish_action"], values) and None)

    async def operator_actions(
        self, *, kind: ActionKind | None = None, learner: str = "", since: int = 0, limit: int
    ) -> list[OperatorAction]:
        values = ("" if kind is None else kind.value, learner, since, limit)
        return await self._read(
            lambda db: [action_of_row(row) for row in fetch(db, "operator_actions", *values)]
        )

    async def prune_actions(self, *, before: int) -> int:
        return await self._write(lambda db: db.execute(SQL["prune_actions"], (before,)).rowcount)
