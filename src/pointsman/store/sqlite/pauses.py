"""Which deliveries are paused."""

from __future__ import annotations

from pointsman.domain.pauses import Pause
from pointsman.domain.target_kinds import TargetKind
from pointsman.store.pause_store import kind_as_text, pause_of_row
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.rows import SQL


class SqlitePauses(SqliteConnections):
    """The table of pauses."""

    async def pauses(self) -> list[Pause]:
        rows = await self._read(lambda db: db.execute(SQL["pauses"]).fetchall())
        return [pause_of_row(*row) for row in rows]

    async def pause(self, pause: Pause) -> None:
        values = (kind_as_text(pause.kind), pause.since, pause.reason)
        await self._write(lambda db: db.execute(SQL["save_pause"], values) and None)

    async def resume(self, kind: TargetKind | None) -> bool:
        values = (kind_as_text(kind),)
        return await self._write(lambda db: db.execute(SQL["delete_pause"], values).rowcount > 0)
