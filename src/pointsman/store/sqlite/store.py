"""The embedded store: a SQLite file in WAL mode, one writer, readers that never wait for it.

Each part of it is in the module of its name, with the calls that it makes to the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from pointsman.store.records import Restored
from pointsman.store.sqlite.audit import SqliteAudit
from pointsman.store.sqlite.backup import back_up
from pointsman.store.sqlite.books import SqliteBooks
from pointsman.store.sqlite.confirmations import SqliteConfirmations
from pointsman.store.sqlite.dead_letters import SqliteDeadLetters
from pointsman.store.sqlite.delivery import SqliteDelivery
from pointsman.store.sqlite.documents import SqliteDocuments
from pointsman.store.sqlite.history import SqliteHistory
from pointsman.store.sqlite.ledgers import SqliteLedgers
from pointsman.store.sqlite.operator_actions import SqliteOperatorActions
from pointsman.store.sqlite.pauses import SqlitePauses
from pointsman.store.sqlite.personal_data import SqlitePersonalData
from pointsman.store.sqlite.redecide import SqliteRedecide
from pointsman.store.sqlite.restore import restore
from pointsman.store.sqlite.retention import SqliteRetention
from pointsman.store.sqlite.statements import SqliteStatements


class SqliteStore(
    SqliteStatements,
    SqliteDelivery,
    SqliteAudit,
    SqliteConfirmations,
    SqliteDocuments,
    SqliteDeadLetters,
    SqliteRedecide,
    SqliteRetention,
    SqliteOperatorActions,
    SqlitePauses,
    SqliteLedgers,
    SqliteBooks,
    SqliteHistory,
    SqlitePersonalData,
):
    """A `Store` on one file."""

    async def backup(self, target: Path, on_progress: Callable[[int, int], None]) -> None:
        """A copy of the file as it is, while a daemon uses it; told (pages left, pages).

        Raises `ConfigError` when the copy can't be written or is not sound.
        """
        await asyncio.to_thread(back_up, self._path, target, on_progress)

    async def restore(self, backup: Path, on_progress: Callable[[int, int], None]) -> Restored:
        return await asyncio.to_thread(restore, backup, self._path, self._clock.now(), on_progress)
