"""What every store can say of the past of one learner, for whoever explains it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from pointsman.domain.desired_state import Desired
from pointsman.domain.records import InputOutcome
from pointsman.store.history_records import HistoryTurn, LearnerHistory, PrunedHistory
from pointsman.store.statement_records import StoredDeadLetter


class HistoryStore(Protocol):
    """The history is written where state is: by `ingest`, `redecide`, `settle` and `audit`."""

    async def learner_history(self, learner: str, *, limit: int) -> LearnerHistory:
        """All that is kept about a learner, read at one moment.

        Of moves that moved a value, of other moves, and of turns the newest `limit` rows each.
        """
        ...

    async def states_of_course(self, course: str, *, limit: int) -> list[Desired]:
        """What is wanted of one course (its id, slug or SKU) and its topics, of all learners.

        What is not delivered comes first. It looks through all state.
        """
        ...

    async def newest_turns(self, *, limit: int) -> list[HistoryTurn]:
        """Of all learners, the newest first."""
        ...

    async def turns_since(
        self, *, since: int, after: tuple[int, int] | None, limit: int
    ) -> list[HistoryTurn]:
        """Of all learners, in the order of (at, id), from `since`, or behind `after`."""
        ...

    async def unpublished_turns(self, *, limit: int) -> list[HistoryTurn]:
        """What waits to be written to a topic, the oldest first."""
        ...

    async def turns_published(self, turn_ids: Sequence[int]) -> None:
        """They wait no longer."""
        ...

    async def outcomes(self, statement_ids: Sequence[str]) -> dict[str, InputOutcome]:
        """What became of stored statements, by id."""
        ...

    async def dead_letters_with(
        self, names: Collection[tuple[str, str]], *, limit: int
    ) -> list[StoredDeadLetter]:
        """Dead letters whose body has both texts of one of `names`, in any case; "" is in all.

        Looks through the newest, up to `LETTERS_LOOKED_AT` and `LETTER_BYTES_LOOKED_AT`. Without
        bodies, the newest first.
        """
        ...

    async def prune_history(
        self, *, before: int, keep: int, after: str, learners: int
    ) -> PrunedHistory:
        """One step of forgetting: rows from before, and of the next `learners` all but the newest.

        `keep` rows each of moves that moved a value, other moves, and turns. What waits to be
        published stays.
        """
        ...
