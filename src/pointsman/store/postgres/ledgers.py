"""What other parts keep in the store: the quota window that is spent, sealed authTokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pointsman.domain.records import SealedToken
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.rows import SQL, columns
from pointsman.store.postgres.session import Connection
from pointsman.store.records import Window

T = TypeVar("T")


class PostgresLedgers(PostgresConnections):
    """The window of all replicas, and their tokens."""

    async def window(self) -> Window | None:
        row = await self._pool.read(lambda db: db.fetchrow(SQL["read_window"]))
        return None if row is None else Window(**row)

    async def shared_window(self, decide: Callable[[str, int], tuple[str, Window, T]]) -> T:
        async def decide_alone(connection: Connection) -> T:
            row = await connection.fetchrow(SQL["lock_window"])
            if row is None:
                await connection.execute(SQL["add_window"])
                row = await connection.fetchrow(SQL["lock_window"])
            state, window, result = decide(*row)
            await connection.execute(
                SQL["save_window"], state, window.ends_at, window.points, window.requests
            )
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
