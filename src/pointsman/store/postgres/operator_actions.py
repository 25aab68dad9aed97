"""The record of what operators did."""

from __future__ import annotations

from pointsman.domain.operator_actions import ActionKind, OperatorAction
from pointsman.store.operator_action_store import action_of_row, action_values
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.pool import count_of
from pointsman.store.postgres.rows import SQL
from pointsman.store.strip_nul import text


class PostgresOperatorActions(PostgresConnections):
    """Who did what, when, and from where."""

    async def record_action(self, action: OperatorAction) -> int:
        values = [
            text(value) if isinstance(value, str) else value for value in action_values(action)
        ]
        return int(
            await self._pool.transaction(lambda db: db.fetchval(SQL["record_action"], *values))
        )

    async def finish_action(self, action_id: int, outcome: str) -> None:
        await self._pool.transaction(
            lambda db: db.execute(SQL["finish_action"], text(outcome), action_id)
        )

    async def operator_actions(
        self, *, kind: ActionKind | None = None, learner: str = "", since: int = 0, limit: int
    ) -> list[OperatorAction]:
        values = ("" if kind is None else kind.value, text(learner), since, limit)
        rows = await self._pool.read(lambda db: db.fetch(SQL["operator_actions"], *values))
        return [action_of_row(dict(row)) for row in rows]

    async def prune_actions(self, *, before: int) -> int:
        return count_of(
            await self._pool.transaction(lambda db: db.execute(SQL["prune_actions"], before))
        )
