"""The seam of stage 4: what every store can do. One contract suite tests them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from pointsman.domain.records import (
    AttachedData,
    Desired,
    Position,
    Receipt,
    SealedToken,
    Submission,
)
from pointsman.domain.targets import Target
from pointsman.store.migrations import Migration
from pointsman.store.records import (
    WAITS,
    Agreement,
    Audited,
    AuditFinding,
    Backlog,
    Books,
    Document,
    DocumentKey,
    DocumentResource,
    KnownDelivered,
    Lease,
    Move,
    Parked,
    Remembered,
    Replayed,
    Search,
    SearchPage,
    Settlement,
    StatementPlace,
    Stats,
    StoredDeadLetter,
    StoredStatement,
    UnmatchedSummary,
    Window,
)

__all__ = [
    "WAITS",
    "Agreement",
    "AuditFinding",
    "Audited",
    "Backlog",
    "Books",
    "Document",
    "DocumentKey",
    "DocumentResource",
    "IngestStore",
    "KnownDelivered",
    "Lease",
    "Move",
    "Parked",
    "Remembered",
    "Replayed",
    "Search",
    "SearchPage",
    "Settlement",
    "StatementPlace",
    "Stats",
    "Store",
    "StoredDeadLetter",
    "StoredStatement",
    "UnmatchedSummary",
    "Window",
]

T = TypeVar("T")


class IngestStore(Protocol):
    """What takes submissions to durable memory."""

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Remember submissions; returns after the commit, a receipt each, in order.

        Merges desired state, dedups by statement id, stores bodies, dead letters and positions,
        all in one transaction. Concurrent calls share a commit.
        """
        ...


class Store(IngestStore, Protocol):
    """Durable memory. Every method raises `StoreUnavailable` when it could not do its work."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def upgrade(self) -> list[Migration]:
        """Bring the schema up to date and close; what was done. In place of `open`."""
        ...

    async def statement(self, statement_id: str) -> StoredStatement | None: ...

    async def search(self, search: Search, *, limit: int) -> SearchPage:
        """Up to `limit` statements that may be what is searched, in the order of storing.

        May stop early, to go on at the page's `after`. Never in the way of `ingest`.
        """
        ...

    async def voided(self, statement_ids: Sequence[str]) -> set[str]:
        """Those of which a stored statement says that they are void."""
        ...

    async def attachments(self, sha2s: Sequence[str]) -> dict[str, AttachedData]: ...

    async def consistent_through(self) -> int:
        """All that was stored until then can be found."""
        ...

    async def document(self, key: DocumentKey) -> Document | None: ...

    async def documents(self, key: DocumentKey, *, since: int | None) -> list[str]:
        """Names of documents, changed after `since`; `key` without a name.

        A state's key without registration finds those of every registration.
        """
        ...

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T:
        """Put what `decide` makes of a document in its place, in one transaction.

        None removes it, and the same object leaves it. `decide` must not raise, and may be asked
        more than once.
        """
        ...

    async def delete_documents(self, key: DocumentKey) -> None:
        """All that `documents` finds."""
        ...

    async def named_documents(
        self, resource: DocumentResource, names: Sequence[str]
    ) -> dict[str, Document]:
        """Those of these names, which have nothing else in their keys."""
        ...

    async def forget_documents(self, *, before: int) -> int:
        """Forget launches, their sessions and tokens that were changed before; how many."""
        ...

    async def positions(self, group: str) -> list[Position]:
        """How far each partition of a consumer group, or of an import, is stored."""
        ...

    async def claim(self, group: str, places: Sequence[tuple[str, int]]) -> list[Position]:
        """Take over these (topic, partition); a position each, with a token that fences.

        Whoever claimed them before can store nothing of them any longer: its submissions come
        back `fenced`. The offset is `UNREAD` where nothing was stored.
        """
        ...

    async def lease(self, *, now: int, ttl: int, limit: int) -> list[Lease]:
        """Take up to `limit` learners with something to send, the most urgent first.

        `ttl` is in microseconds. Completions come first, and anything that has waited longer
        than the head start of completions comes before them.
        """
        ...

    async def settle(
        self, lease: Lease, settlements: Sequence[Settlement], *, now: int, ready_at: int
    ) -> bool:
        """Record what was sent and give the lease back; False when the lease was no longer ours.

        What is left to send of this learner is leased again at `ready_at`, or at once when it
        holds a completion that has not failed.
        """
        ...

    async def unpark(
        self, learners: Sequence[str] | None = None, *, reason_prefix: str = ""
    ) -> int:
        """Free parked state (of these learners, or all) whose reason starts so; says how many."""
        ...

    async def next_ready_at(self) -> int | None:
        """When the next learner can be leased; None when nothing is dirty."""
        ...

    async def delivered_sample(
        self, *, limit: int, settled_before: int, again_before: int
    ) -> dict[str, tuple[Desired, ...]]:
        """Delivered state that can be read back, of up to `limit` learners.

        What was never looked at comes first, completions before the rest and the newest before
        the older; then what was last looked at before `again_before`. What was delivered after
        `settled_before` is left alone.
        """
        ...

    async def audit(
        self, learner: str, findings: Sequence[AuditFinding], *, now: int
    ) -> dict[Target, Audited]:
        """Record findings: dirty once where they differ, and parked where they differ again."""
        ...

    async def undelivered(self) -> dict[str, tuple[Desired, ...]]:
        """All desired state that is not delivered and can be read back, by learner."""
        ...

    async def take_as_delivered(self, known: Sequence[KnownDelivered], *, now: int) -> int:
        """What the platform stands at counts as delivered; how many records that changed.

        Desired state that is further along stays as it is, and is sent.
        """
        ...

    async def sealed_tokens(self) -> list[SealedToken]:
        """All authTokens that are kept."""
        ...

    async def save_sealed_tokens(self, rows: Sequence[SealedToken], gone: Sequence[str]) -> None:
        """Keep these, in place of what these learners had; forget those of `gone`."""
        ...

    async def prune(self, *, before: int, limit: int) -> int:
        """Forget statements that were stored before, `limit` commits of them; how many statements.

        The books keep their count. Somebody else's pruning under way means 0.
        """
        ...

    async def duty(self, name: str, *, now: int, ttl: int) -> bool:
        """Whether this process has a duty that one replica has at a time, for so long from now."""
        ...

    async def parked(
        self, learners: Sequence[str], *, reason_prefix: str, limit: int
    ) -> list[Parked]:
        """What is parked, the oldest first; of these learners, or of all where none is named."""
        ...

    async def agreement(self) -> list[Agreement]:
        """How far the platform agrees with what was delivered, by place."""
        ...

    async def unmatched(self, *, limit: int) -> list[UnmatchedSummary]:
        """Activities that no rule takes, the most frequent first."""
        ...

    async def dead_letters(
        self, *, reason_prefix: str = "", source: str | None = None, after: int = 0, limit: int
    ) -> list[StoredDeadLetter]:
        """Dead letters without their bodies, by id, from the first one after `after`."""
        ...

    async def dead_letter(self, letter_id: int) -> StoredDeadLetter | None: ...

    async def drop_dead_letters(self, letter_ids: Sequence[int]) -> int:
        """Forget their bodies; the books go on counting them as dead."""
        ...

    async def revive(self, letter_id: int, submission: Submission) -> Receipt | None:
        """Put what a dead letter turned out to say in its place; None when there is no such one.

        The letter is no longer an input of its own; the submission's items are. With conflicts it
        stays as it is. It must not be `in_statements`: such a one is decided anew.
        """
        ...

    async def remembered(
        self, *, since: int, after: tuple[int, str] | None, limit: int
    ) -> list[Remembered]:
        """Statements stored since, in the order in which they were stored."""
        ...

    async def redecide(
        self, submissions: Sequence[Submission], *, now: int, dry_run: bool
    ) -> Replayed:
        """Merge new decisions about known statements, one in each submission.

        Only what is further along moves: desired state knows no way back. With `dry_run` nothing
        is changed.
        """
        ...

    async def stats(self) -> Stats: ...

    async def backlog(self) -> Backlog: ...

    async def books(self) -> Books: ...
