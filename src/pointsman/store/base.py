"""What every store can do. One contract suite tests them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pointsman.domain.records import Receipt, Submission
from pointsman.domain.statement_ids import StatementIds
from pointsman.store.confirmation_store import ConfirmationStore
from pointsman.store.delivery_stores import (
    AuditStore,
    DeliveryStore,
    LedgerStore,
    ParkedStore,
    WindowLedger,
)
from pointsman.store.document_quota import DocumentAmounts, OverQuota
from pointsman.store.document_records import Document, DocumentKey, DocumentResource
from pointsman.store.history_stores import HistoryStore
from pointsman.store.migrations import Migration
from pointsman.store.operator_action_store import OperatorActionStore
from pointsman.store.pause_store import PauseStore
from pointsman.store.personal_data_store import (
    BlockChange,
    PersonalDataStore,
    RefusedLearner,
    Row,
)
from pointsman.store.records import (
    Agreement,
    Audited,
    AuditFinding,
    Backlog,
    Books,
    KnownDelivered,
    Lease,
    Restored,
    Settlement,
    Stats,
    Window,
)
from pointsman.store.statement_records import (
    DecidedStatement,
    Move,
    Replayed,
    Search,
    SearchPage,
    StatementPlace,
    StoredDeadLetter,
    StoredStatement,
    UnmatchedSummary,
)
from pointsman.store.statement_stores import (
    DeadLetterStore,
    DocumentStore,
    RedecideStore,
    StatementStore,
)

__all__ = [
    "Agreement",
    "AuditFinding",
    "Audited",
    "Backlog",
    "BlockChange",
    "Books",
    "DecidedStatement",
    "Document",
    "DocumentAmounts",
    "DocumentKey",
    "DocumentResource",
    "DocumentStore",
    "HistoryStore",
    "IngestStore",
    "KnownDelivered",
    "Lease",
    "Move",
    "OverQuota",
    "PersonalDataStore",
    "RefusedLearner",
    "Replayed",
    "Restored",
    "Row",
    "Search",
    "SearchPage",
    "Settlement",
    "StatementPlace",
    "StatementStore",
    "Stats",
    "Store",
    "StoredDeadLetter",
    "StoredStatement",
    "UnmatchedSummary",
    "Window",
    "WindowLedger",
]


class IngestStore(Protocol):
    """What takes submissions to durable memory."""

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Remember submissions; returns after the commit, a receipt each, in order.

        Merges desired state, dedups by statement id, stores bodies, dead letters and positions,
        all in one transaction. Concurrent calls share a commit.
        """
        ...


class RetentionStore(Protocol):
    """Forgetting what is old."""

    async def prune(self, *, before: int, limit: int) -> int:
        """Forget statements that were stored before, `limit` commits of them; how many statements.

        The books keep their count. Somebody else's pruning under way means 0.
        """
        ...

    async def acquire_duty(self, name: str, *, now: int, ttl: int) -> bool:
        """Take or keep a duty that one replica has at a time, for so long from now.

        False while another one has it.
        """
        ...


class BookStore(Protocol):
    """All that counts and changes nothing."""

    async def stats(self) -> Stats: ...

    async def backlog(self) -> Backlog: ...

    async def books(self) -> Books: ...


class Store(
    IngestStore,
    StatementStore,
    DocumentStore,
    DeadLetterStore,
    RedecideStore,
    DeliveryStore,
    ParkedStore,
    AuditStore,
    ConfirmationStore,
    LedgerStore,
    RetentionStore,
    OperatorActionStore,
    PauseStore,
    BookStore,
    HistoryStore,
    PersonalDataStore,
    Protocol,
):
    """Durable memory. Every method raises `StoreUnavailable` when it could not do its work."""

    @property
    def statement_ids(self) -> StatementIds:
        """Made with the secret of this store, once it is open."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def upgrade(self) -> list[Migration]:
        """Bring the schema up to date and close; what was done. In place of `open`."""
        ...

    async def backup(self, target: Path, on_progress: Callable[[int, int], None]) -> None:
        """Copy the store to `target` while it is used; `on_progress` gets (pages left, pages).

        Raises `ConfigError` where it can't.
        """
        ...

    async def restore(self, backup: Path, on_progress: Callable[[int, int], None]) -> Restored:
        """Put a backup in the store's place, which is not open; `on_progress` as in `backup`.

        Raises `ConfigError` while the store is used, and for what is no sound backup of one; then
        all is as it was.
        """
        ...
