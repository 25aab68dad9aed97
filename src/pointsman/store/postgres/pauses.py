"""Which deliveries are paused."""

from __future__ import annotations

from pointsman.domain.pauses import Pause
from pointsman.domain.target_kinds import TargetKind
from pointsman.store.pause_store import kind_as_text, pause_of_row
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.pool import count_of
from pointsman.store.postgres.rows import SQL
from pointsman.store.strip_nul import text


class PostgresPauses(PostgresConnections):
    """The table of pauses, which replicas share."""

    async def pauses(self) -> list[Pause]:
        rows = await self._pool.read(lambda db: db.fetch(SQL["pauses"]))
        return [pause_of_row(*row) for row in rows]

    async def pause(self, pause: Pause) -> None:
        values = (kind_as_text(pause.kind), pause.since, text(pause.reason))
        await self._pool.transaction(lambda db: db.execute(SQL["save_pause"], *values))

    async def resume(self, kind: TargetKind | None) -> bool:
        name = kind_as_text(kind)
        done = await self._pool.transaction(lambda db: db.execute(SQL["delete_pause"], name))
        return count_of(done) > 0
