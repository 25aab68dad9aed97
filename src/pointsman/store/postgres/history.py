"""Reads and prunes the history of learners."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.pool import count_of
from pointsman.store.postgres.rows import CODEC, SQL, columns
from pointsman.store.postgres.session import Connection
from pointsman.store.statement_records import StoredDeadLetter

_BACKSLASH, _ASCII = 0x5C, 0x80


class PostgresHistory(PostgresConnections):
    """What explains a learner's state."""

    async def learner_history(self, learner: str, *, limit: int) -> LearnerHistory:
        return await self._pool.read(lambda db: _learner_history(db, learner, limit))

    async def states_of_course(self, course: str, *, limit: int) -> list[Desired]:
        rows = await self._pool.read(lambda db: db.fetch(SQL["states_of_course"], course, limit))
        return [CODEC.decode(row) for row in rows]

    async def newest_turns(self, *, limit: int) -> list[HistoryTurn]:
        return await self._turns("newest_turns", limit)

    async def turns_since(
        self, *, since: int, after: tuple[int, int] | None, limit: int
    ) -> list[HistoryTurn]:
        return await self._turns("turns_since", *(after or (since, -1)), limit)

    async def unpublished_turns(self, *, limit: int) -> list[HistoryTurn]:
        return await self._turns("unpublished_turns", limit)

    async def turns_published(self, turn_ids: Sequence[int]) -> None:
        await self._pool.transaction(lambda db: db.execute(SQL["turns_published"], list(turn_ids)))

    async def outcomes(self, statement_ids: Sequence[str]) -> dict[str, InputOutcome]:
        rows = await self._pool.read(
            lambda db: db.fetch(SQL["outcomes_of_statements"], list(statement_ids))
        )
        return {name: InputOutcome(word) for name, word in rows}

    async def dead_letters_with(
        self, names: Collection[tuple[str, str]], *, limit: int
    ) -> list[StoredDeadLetter]:
        bounds = (LETTERS_LOOKED_AT, LETTER_BYTES_LOOKED_AT, limit)
        letters = []
        for texts in texts_of_names(names):
            escaped = map(_escaped, texts)
            rows = await self._pool.read(
                lambda db, values=(*bounds, *escaped): db.fetch(  # type: ignore[misc]
                    SQL["dead_letters_with"], *values
                )
            )
            letters += [StoredDeadLetter(**row) for row in rows]
        return newest_letters(letters, limit)

    async def prune_history(
        self, *, before: int, keep: int, after: str, learners: int
    ) -> PrunedHistory:
        return await self._pool.transaction(lambda db: _prune(db, before, keep, after, learners))

    async def _turns(self, query: str, *values: object) -> list[HistoryTurn]:
        rows = await self._pool.read(lambda db: db.fetch(SQL[query], *values))
        return [turn_of_row(row) for row in rows]


def _escaped(text: str) -> str:
    """As encode(bytes, 'escape') writes it."""
    return "".join(
        "\\\\" if byte == _BACKSLASH else chr(byte) if 0 < byte < _ASCII else f"\\{byte:03o}"
        for byte in text.encode()
    )


async def _learner_history(connection: Connection, learner: str, limit: int) -> LearnerHistory:
    """All of it from one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        move_rows = await connection.fetch(SQL["moves_of_learner"], learner, limit)
        moves = tuple(move for row in move_rows for move in moves_of_row(**row))
        turns = await connection.fetch(SQL["turns_of_learner"], learner, limit)
        rows = await connection.fetch(SQL["states_of_learner"], learner)
        # what goes by meeting is found by what moved it
        elsewhere = {
            (str(move.recipient), move.target.kind.value, move.target.key)
            for move in moves
            if move.recipient.is_meeting
        }
        if elsewhere:
            rows += await connection.fetch(SQL["states_by_key"], *columns(sorted(elsewhere), 3))
        names = [learner, *sorted({recipient for recipient, _, _ in elsewhere})]
        places = await connection.fetch(SQL["queue_places"], names)
    return LearnerHistory(
        learner,
        moves,
        tuple(map(turn_of_row, turns)),
        tuple(state_of_row(CODEC, row) for row in rows),
        tuple(map(queue_place_of_row, places)),
    )


async def _prune(
    connection: Connection, before: int, keep: int, after: str, learners: int
) -> PrunedHistory:
    """One small step; what is waiting to be published stays."""
    rows = 0
    for query in ("prune_old_moves", "prune_old_turns"):
        rows += count_of(await connection.execute(SQL[query], before, OLD_ROWS))
    found = await connection.fetch(SQL["next_learners_of_history"], after, learners)
    names = [row["learner"] for row in found]
    for query in ("prune_many_moves", "prune_many_turns"):
        rows += count_of(await connection.execute(SQL[query], names, keep))
    return PrunedHistory(rows, names[-1] if len(names) == learners else "")
