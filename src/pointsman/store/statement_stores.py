"""What every store can do with statements, documents and dead letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from pointsman.domain.log_positions import Position
from pointsman.domain.records import AttachedData, InputOutcome, Receipt, Submission
from pointsman.store.document_quota import DocumentAmounts, OverQuota
from pointsman.store.document_records import Document, DocumentKey, DocumentResource
from pointsman.store.statement_records import (
    DecidedStatement,
    Replayed,
    Search,
    SearchPage,
    StoredDeadLetter,
    StoredStatement,
    UnmatchedSummary,
)

T = TypeVar("T")


class StatementStore(Protocol):
    """Statements that are stored, and how far their sources are."""

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

    async def positions(self, group: str) -> list[Position]:
        """How far each partition of a consumer group, or of an import, is stored."""
        ...

    async def claim(self, group: str, places: Sequence[tuple[str, int]]) -> list[Position]:
        """Take over these (topic, partition); a position each, with a token that fences.

        A process that claimed them before can store nothing of them any longer: its submissions
        come back `fenced`. The offset is `UNREAD` where nothing was stored.
        """
        ...


class DocumentStore(Protocol):
    """Players' documents, and those of ours."""

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

    async def change_document_within(
        self,
        key: DocumentKey,
        quota: DocumentAmounts,
        decide: Callable[[Document | None], tuple[Document | None, T]],
    ) -> T | OverQuota:
        """As `change_document`, where what the agent and registration keep then fits the quota.

        Of changes at once each sees those before it. What does not fit changes nothing.
        """
        ...

    async def delete_documents(self, key: DocumentKey) -> None:
        """All that `documents` finds."""
        ...

    async def named_documents(
        self, resources: Sequence[DocumentResource], names: Sequence[str]
    ) -> dict[tuple[DocumentResource, str], Document]:
        """Those of these resources and names, which have nothing else in their keys."""
        ...

    async def prune_documents(self, resources: Sequence[DocumentResource], *, before: int) -> int:
        """Forget those of these resources that were changed before; how many."""
        ...

    async def prune_ended_states(self, *, before: int, limit: int) -> int:
        """Forget states whose registration was launched, and they changed, before only; how many.

        `limit` of them at most.
        """
        ...


class DeadLetterStore(Protocol):
    """What could not be understood, and what no rule takes."""

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

    async def replace_dead_letter(self, letter_id: int, submission: Submission) -> Receipt | None:
        """Put what a dead letter turned out to say in its place; None when there is no such one.

        The letter is no longer an input of its own; the submission's items are. With conflicts it
        stays as it is. It must not be `in_statements`: that one is decided again.
        """
        ...


class RedecideStore(Protocol):
    """New decisions about stored statements."""

    async def statements_since(
        self,
        *,
        since: int,
        after: tuple[int, str] | None,
        limit: int,
        outcome: InputOutcome | None = None,
    ) -> list[DecidedStatement]:
        """Statements stored since, in the order of storing; with one outcome, or any."""
        ...

    async def redecide(
        self, submissions: Sequence[Submission], *, now: int, dry_run: bool
    ) -> Replayed:
        """Merge new decisions about known statements, one in each submission.

        Only what is further along moves: desired state knows no way back. With `dry_run` nothing
        is changed.
        """
        ...
