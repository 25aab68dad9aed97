"""Reads and prunes the history of learners."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

import orjson

from pointsman.domain.desired_state import Desired
from pointsman.domain.records import InputOutcome
from pointsman.store.history_codec import (
    LETTER_BYTES_LOOKED_AT,
    LETTERS_LOOKED_AT,
    OLD_ROWS,
    moves_of_row,
    newest_letters,
    queue_place_of_row,
    state_of_row,
    texts_of_names,
    turn_of_row,
)
from pointsman.store.history_records import (
    HistoryTurn,
    LearnerHistory,
    PrunedHistory,
)
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.rows import CODEC, SQL, fetch, to_json
from pointsman.store.statement_records import StoredDeadLetter


class SqliteHistory(SqliteConnections):
    """What explains a learner's state."""

    async def learner_history(self, learner: str, *, limit: int) -> LearnerHistory:
        return await self._searcher.run(lambda db: _learner_history(db, learner, limit))

    async def states_of_course(self, course: str, *, limit: int) -> list[Desired]:
        def read(connection: sqlite3.Connection) -> list[Desired]:
            rows = fetch(connection, "states_of_course", course, limit)
            return [CODEC.decode(row) for row in rows]

        return await self._searcher.run(read)

    async def newest_turns(self, *, limit: int) -> list[HistoryTurn]:
        return await self._turns("newest_turns", limit)

    async def turns_since(
        self, *, since: int, after: tuple[int, int] | None, limit: int
    ) -> list[HistoryTurn]:
        behind = since - 1 if after is None else after[1]
        return await self._turns("turns_since", behind, since, limit)

    async def unpublished_turns(self, *, limit: int) -> list[HistoryTurn]:
        return await self._turns("unpublished_turns", limit)

    async def turns_published(self, turn_ids: Sequence[int]) -> None:
        ids = to_json(list(turn_ids))
        await self._write(lambda db: db.execute(SQL["turns_published"], (ids,)))

    async def outcomes(self, statement_ids: Sequence[str]) -> dict[str, InputOutcome]:
        def read(connection: sqlite3.Connection) -> dict[str, InputOutcome]:
            ids = to_json(list(statement_ids))
            (found,) = connection.execute(SQL["outcomes_of_statements"], (ids,)).fetchone()
            return {name: InputOutcome(word) for name, word in orjson.loads(found).items()}

        return await self._searcher.run(read)

    async def dead_letters_with(
        self, names: Collection[tuple[str, str]], *, limit: int
    ) -> list[StoredDeadLetter]:
        bounds = (LETTERS_LOOKED_AT, LETTER_BYTES_LOOKED_AT, limit)

        def read(connection: sqlite3.Connection) -> list[StoredDeadLetter]:
            letters = [
                StoredDeadLetter(**{**row, "in_statements": bool(row["in_statements"])})
                for texts in texts_of_names(names)
                for row in fetch(connection, "dead_letters_with", *bounds, *texts)
            ]
            return newest_letters(letters, limit)

        return await self._searcher.run(read)

    async def prune_history(
        self, *, before: int, keep: int, after: str, learners: int
    ) -> PrunedHistory:
        return await self._write(lambda db: _prune(db, before, keep, after, learners))

    async def _turns(self, query: str, *values: object) -> list[HistoryTurn]:
        return await self._searcher.run(
            lambda db: [turn_of_row(row) for row in fetch(db, query, *values)]
        )


def _learner_history(connection: sqlite3.Connection, learner: str, limit: int) -> LearnerHistory:
    """All of it from one moment."""
    connection.execute("BEGIN")
    try:
        moves = tuple(
            move
            for row in fetch(connection, "moves_of_learner", learner, limit)
            for move in moves_of_row(**row)
        )
        turns = tuple(map(turn_of_row, fetch(connection, "turns_of_learner", learner, limit)))
        own = fetch(connection, "states_of_learner", learner)
        # what goes by meeting is found by what moved it
        elsewhere = {
            (str(move.recipient), move.target) for move in moves if move.recipient.is_meeting
        }
        rows = [
            *own,
            *(
                row
                for recipient, target in sorted(elsewhere)
                for row in fetch(
                    connection, "state_by_key", recipient, target.kind.value, target.key
                )
            ),
        ]
        names = [learner, *sorted({recipient for recipient, _ in elsewhere})]
        places = fetch(connection, "queue_places", to_json(names))
    finally:
        connection.execute("COMMIT")
    return LearnerHistory(
        learner,
        moves,
        turns,
        tuple(state_of_row(CODEC, row) for row in rows),
        tuple(queue_place_of_row(row) for row in places),
    )


def _prune(
    connection: sqlite3.Connection, before: int, keep: int, after: str, learners: int
) -> PrunedHistory:
    """One small step; what is waiting to be published stays."""
    rows = sum(
        connection.execute(SQL[query], (before, OLD_ROWS)).rowcount
        for query in ("prune_old_moves", "prune_old_turns")
    )
    (names,) = connection.execute(SQL["next_learners_of_history"], (after, learners)).fetchone()
    rows += sum(
        connection.execute(SQL[query], (names, keep)).rowcount
        for query in ("prune_many_moves", "prune_many_turns")
    )
    last: list[str] = orjson.loads(names)
    return PrunedHistory(rows, last[-1] if len(last) == learners else "")
