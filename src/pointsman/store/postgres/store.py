"""The shared store: a PostgreSQL database that any number of replicas have open.

Each part of it is in the module of its name, with the calls that it makes to the database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pointsman.domain.errors import ConfigError
from pointsman.domain.records import Receipt, Submission
from pointsman.store.postgres.audit import PostgresAudit
from pointsman.store.postgres.books import PostgresBooks
from pointsman.store.postgres.confirmations import PostgresConfirmations
from pointsman.store.postgres.dead_letters import PostgresDeadLetters
from pointsman.store.postgres.delivery import PostgresDelivery
from pointsman.store.postgres.documents import PostgresDocuments
from pointsman.store.postgres.history import PostgresHistory
from pointsman.store.postgres.ledgers import PostgresLedgers
from pointsman.store.postgres.operator_actions import PostgresOperatorActions
from pointsman.store.postgres.pauses import PostgresPauses
from pointsman.store.postgres.personal_data import PostgresPersonalData
from pointsman.store.postgres.redecide import PostgresRedecide
from pointsman.store.postgres.retention import PostgresRetention
from pointsman.store.postgres.statements import PostgresStatements
from pointsman.store.records import Restored


class PostgresStore(
    PostgresStatements,
    PostgresDelivery,
    PostgresAudit,
    PostgresConfirmations,
    PostgresDocuments,
    PostgresDeadLetters,
    PostgresRedecide,
    PostgresRetention,
    PostgresOperatorActions,
    PostgresPauses,
    PostgresLedgers,
    PostgresBooks,
    PostgresHistory,
    PostgresPersonalData,
):
    """A `Store` that replicas share."""

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        return await self._commits.ingest(submissions)

    async def backup(self, target: Path, on_progress: Callable[[int, int], None]) -> None:  # noqa: ARG002 - a Protocol's
        raise ConfigError("store.url: a PostgreSQL database is copied with its own pg_dump")

    async def restore(self, backup: Path, on_progress: Callable[[int, int], None]) -> Restored:  # noqa: ARG002 - a Protocol's
        raise ConfigError("store.url: a PostgreSQL database is restored with its own pg_restore")
