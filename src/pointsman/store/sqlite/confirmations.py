"""Learns what the platform says by itself, and keeps how far its feeds are read."""

from __future__ import annotations

import sqlite3
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
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.ingest import write_moves
from pointsman.store.sqlite.rows import CODEC, SQL, fetch, to_json


class SqliteConfirmations(SqliteConnections):
    """The tables of confirmations and feeds."""

    async def confirm(
        self,
        events: Sequence[PlatformEvent],
        *,
        now: int,
        shown_only: Collection[str] = (),
        page: FeedPage | None = None,
    ) -> list[TakenEvent]:
        def write(connection: sqlite3.Connection) -> list[TakenEvent]:
            names = to_json(sorted({name for event in events for name in event.names}))
            rows = fetch(connection, "states_to_confirm", names)
            states = [(CODEC.decode(row), row["delivered_at"]) for row in rows]
            facts = fetch(connection, "facts_of_learners", names)
            plan = new_plan(states, facts, now, shown_only)
            taken = [plan.take(event) for event in events]
            _write(connection, plan)
            if page is not None:
                connection.execute(SQL["save_feed"], (page.name, page.place.to_json()))
            return taken

        return await self._write(write)

    async def facts_of(self, learner: str) -> list[PlaceFacts]:
        names = to_json([learner])
        return by_place(await self._searcher.run(lambda db: fetch(db, "facts_of_learners", names)))

    async def completions(self, *, after: Cursor, limit: int) -> list[CompletionState]:
        rows = await self._searcher.run(lambda db: fetch(db, "completions", *after, limit))
        return [completion_of_row(row) for row in rows]

    async def feeds(self) -> dict[str, FeedPlace]:
        rows = await self._read(lambda db: db.execute(SQL["feeds"]).fetchall())
        return {name: FeedPlace.from_json(place) for name, place in rows}

    async def save_feed(self, name: str, place: FeedPlace) -> None:
        values = (name, place.to_json())
        await self._write(lambda db: db.execute(SQL["save_feed"], values) and None)

    async def drop_feed(self, name: str) -> None:
        await self._write(lambda db: db.execute(SQL["drop_feed"], (name,)) and None)


def _write(connection: sqlite3.Connection, plan: ConfirmationPlan) -> None:
    connection.executemany(SQL["save_fact"], fact_rows(plan))
    connection.executemany(
        SQL["park_changed"],
        [
            (
                row.parked,
                row.park_code,
                str(row.recipient),
                row.target.kind.value,
                row.target.key,
                row.version,
            )
            for row in plan.parked.values()
        ],
    )
    if not plan.taken_over:
        return
    rows = [CODEC.imported_row(row) for _, row in plan.taken_over.values()]
    connection.execute(SQL["import_desired"], (plan.now, to_json(rows)))
    for learner in plan.reset_learners():
        keys = [key for (key,) in connection.execute(SQL["evidence_keys"], (learner,))]
        void = [(learner, key) for key in keys if plan.is_void(learner, key)]
        connection.executemany(SQL["drop_evidence"], void)
    history = CommitHistory()
    for before, row in plan.taken_over.values():
        history.note_platform_change(row, before, plan.now)
    write_moves(connection, history, plan.now)
