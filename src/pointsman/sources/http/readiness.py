"""Whether statements can be taken now: the same question that a post asks, which is a write.

A commit of a moment ago is the answer. Without one the store is asked to write a little; after a
commit that failed it has to write as much as a big post before it counts as well again.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.records import Receipt, Submission
from pointsman.store.base import IngestStore
from pointsman.store.document_records import Document, DocumentKey
from pointsman.store.statement_stores import DocumentStore

#: seconds for which an answer holds: a store is asked to write at most so often
FRESH = 1.0
#: seconds within which a store has to write; less than any probe waits (timeoutSeconds)
ANSWERS_WITHIN = 2.0
#: bytes, at random so that no store makes less of them
_LITTLE, _MUCH = 16, 65_536
#: rows that replicas write to, so that they seldom wait for each other
_ROWS = 16


class Readiness:
    """One answer for all who ask."""

    def __init__(self, store: DocumentStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._key = DocumentKey("probe", name=str(random.randrange(_ROWS)))  # noqa: S311 - spreads
        #: when the store last wrote, or failed to, on the monotonic clock
        self._asked_at = float("-inf")
        self._trouble = ""
        self._probe: asyncio.Task[None] | None = None

    def watch(self, store: IngestStore) -> IngestStore:
        """The same, and what becomes of its commits counts here."""
        return _Watched(store, self)

    def committed(self) -> None:
        """Statements were stored."""
        self._asked_at, self._trouble = self._clock.monotonic(), ""

    def failed(self, error: StoreUnavailable) -> None:
        """Statements could not be stored."""
        self._note(str(error))

    async def store_problem(self) -> str:
        """Why the store can't write, "" when it can; of the last `FRESH` seconds.

        It is known within `ANSWERS_WITHIN`.
        """
        if self._clock.monotonic() - self._asked_at >= FRESH:
            await self._ask()
        return self._trouble

    async def close(self) -> None:
        """Ask no more."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.wait({self._probe})

    async def _ask(self) -> None:
        """Let it write; whoever asks meanwhile waits for the same write."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._write(_MUCH if self._trouble else _LITTLE))
        done, _ = await asyncio.wait({self._probe}, timeout=ANSWERS_WITHIN)
        if not done:
            # the write goes on, and the next one who asks waits for it again
            self._trouble = f"the store has not written within {ANSWERS_WITHIN:g} s"

    async def _write(self, size: int) -> None:
        probe = Document("", os.urandom(size), "", micros(self._clock.now()))
        try:
            await self._store.change_document(self._key, lambda _old: (probe, None))
        except StoreUnavailable as error:
            self._note(str(error))
        else:
            self._note("")

    def _note(self, trouble: str) -> None:
        self._asked_at = self._clock.monotonic()
        self._trouble = trouble


class _Watched:
    """Passes on what is stored, and notes what became of it."""

    def __init__(self, store: IngestStore, readiness: Readiness) -> None:
        self._store = store
        self._readiness = readiness

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        try:
            receipts = await self._store.ingest(submissions)
        except StoreUnavailable as error:
            self._readiness.failed(error)
            raise
        self._readiness.committed()
        return receipts
