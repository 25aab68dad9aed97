"""Learns what the platform says by itself, and keeps how far its feeds are read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pointsman.domain.platform_events import PlatformEvent
from pointsman.store.commit_history import CommitHistory
from pointsman.store.confirmation_plan import ConfirmationPlan
from pointsman.store.confirmation_records import (
    CompletionState,
    FeedPage,
    FeedPlace,
    PlaceFacts,
    TakenEvent,
)
from pointsman.store.confirmation_store import (
    Cursor,
    by_place,
    completion_of_row,
    fact_rows,
    new_plan,
)
from pointsman.store.desired_codec import IMPORTED
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.history_rows import write_moves
from pointsman.store.postgres.ingest import lock
from pointsman.store.postgres.rows import CODEC, SQL, columns
from pointsman.store.postgres.session import Connection
from pointsman.store.strip_nul import text


class PostgresConfirmations(PostgresConnections):
    """The tables of confirmations and feeds, which replicas share."""

    async def confirm(
        self,
        events: Sequence[PlatformEvent],
        *,
        now: int,
        shown_only: Collection[str] = (),
        page: FeedPage | None = None,
    ) -> list[TakenEvent]:
        async def write(connection: Connection) -> list[TakenEvent]:
            asked = [text(name) for event in events for name in event.names]
            # who is not known is not locked either, which would make a row for them
            known = await connection.fetch(SQL["learners_to_confirm"], asked)
            names = [row["learner"] for row in known]
            await lock(connection, names)
            rows = await connection.fetch(SQL["states_to_confirm"], names)
            states = [(CODEC.decode(row), row["delivered_at"]) for row in rows]
            facts = await connection.fetch(SQL["facts_of_learners"], names)
            plan = new_plan(states, facts, now, shown_only)
            taken = [plan.take(event) for event in events]
            await _write(connection, plan)
            if page is not None:
                await connection.execute(SQL["save_feed"], page.name, page.place.to_json())
            return taken

        return await self._pool.transaction(write)

    async def facts_of(self, learner: str) -> list[PlaceFacts]:
        names = [text(learner)]
        return by_place(await self._pool.read(lambda db: db.fetch(SQL["facts_of_learners"], names)))

    async def completions(self, *, after: Cursor, limit: int) -> list[CompletionState]:
        rows = await self._pool.read(lambda db: db.fetch(SQL["completions"], *after, limit))
        return [completion_of_row(row) for row in rows]

    async def feeds(self) -> dict[str, FeedPlace]:
        rows = await self._pool.read(lambda db: db.fetch(SQL["feeds"]))
        return {name: FeedPlace.from_json(place) for name, place in rows}

    async def save_feed(self, name: str, place: FeedPlace) -> None:
        written = place.to_json()
        await self._pool.transaction(lambda db: db.execute(SQL["save_feed"], name, written))

    async def drop_feed(self, name: str) -> None:
        await self._pool.transaction(lambda db: db.execute(SQL["drop_feed"], name))


async def _write(connection: Connection, plan: ConfirmationPlan) -> None:
    if facts := sorted(fact_rows(plan)):
        cleaned = [
            [text(value) if isinstance(value, str) else value for value in row] for row in facts
        ]
        await connection.execute(SQL["save_facts"], *columns(cleaned, 8))
    for row in plan.parked.values():
        key = (str(row.recipient), row.target.kind.value, row.target.key, row.version)
        await connection.execute(SQL["park_changed"], text(row.parked), row.park_code, *key)
    if not plan.taken_over:
        return
    rows = [CODEC.imported_row(row) for _, row in plan.taken_over.values()]
    arrays = columns(rows, len(IMPORTED))
    await connection.execute(SQL["import_desired"], plan.now, *arrays)
    for learner in plan.reset_learners():
        keys = [row["key"] for row in await connection.fetch(SQL["evidence_keys"], learner)]
        void = [key for key in keys if plan.is_void(learner, key)]
        await connection.execute(SQL["drop_evidence"], learner, void)
    history = CommitHistory()
    for before, row in plan.taken_over.values():
        history.note_platform_change(row, before, plan.now)
    await write_moves(connection, history, plan.now)
