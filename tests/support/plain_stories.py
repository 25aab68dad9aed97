"""Stories of a store whose learners go by their names, and whose changes have no statements."""

from __future__ import annotations

from collections.abc import Iterable

from pointsman.domain.clock import Clock
from pointsman.domain.records import Actor
from pointsman.domain.statement_reading import StatementReading
from pointsman.store.base import Store, StoredStatement
from pointsman.story import Teller

PLENTY = 10**6


class Names:
    """Learners go by their names."""

    def learner(self, text: str) -> str:
        return text

    def actors_of(self, _learner: str) -> Iterable[Actor]:
        return ()


class NoStatements:
    """The changes have no statements."""

    async def prepare(self, bodies: Iterable[bytes]) -> None: ...

    def reading(self, _stored: StoredStatement) -> StatementReading | None:
        return None


def plain_teller(store: Store, clock: Clock, *, points: int = PLENTY) -> Teller:
    return Teller(store, NoStatements(), Names(), clock, points=points, requests=PLENTY)
