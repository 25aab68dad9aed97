"""What other parts keep in the store: the pace at which the quota is spent, sealed authTokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pointsman.domain.records import SealedToken
from pointsman.store.delivery_stores import WindowLedger
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.rows import SQL, columns
from pointsman.store.postgres.session import Connection

T = TypeVar("T")


class PostgresLedgers(PostgresConnections):
    """The pace of all replicas, and their tokens."""

    @property
    def window_ledger(self) -> WindowLedger | None:
        return None

    async def pace(self, decide: Callable[[str, int], tuple[str, T]]) -> T:
        async def decide_alone(connection: Connection) -> T:
            row = await connection.fetchrow(SQL["lock_pace"])
            if row is None:
                await connection.execute(SQL["add_pace"])
                row = await connection.fetchrow(SQL["lock_pace"])
            state, result = decide(*row)
            await connection.execute(SQL["save_pace"], state)
            return result

        return await self._pool.transaction(decide_alone)

    async def sealed_tokens(self) -> list[SealedToken]:
        rows = await self._pool.read(lambda db: db.fetch(SQL["read_tokens"]))
        return [SealedToken(**row) for row in rows]

    async def save_sealed_tokens(self, rows: Sequence[SealedToken], gone: Sequence[str]) -> None:
        tokens = sorted((one.learner, one.sealed, one.stored_at, one.expires_at) for one in rows)

        async def write(connection: Connection) -> None:
            await connection.execute(SQL["drop_tokens"], list(gone))
            await connection.execute(SQL["save_tokens"], *columns(tokens, 4))

        await self._pool.transaction(write)
