"""Bounds the bytes of statements that launches of one registration, and of one learner, bring.

What came is added up in documents of the store, which replicas share. It is written there once some
of it came together, so that an ordinary statement costs no write; a process that ends forgets no
more than that of each launch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cachetools import LRUCache

from pointsman.domain.clock import Clock, micros
from pointsman.store.base import Document, DocumentKey, OverQuota

T = TypeVar("T")

#: bytes that are counted in memory before they are written
_WRITE_AT = 65_536
#: sums that are remembered, the newest
_MOST_REMEMBERED = 50_000
_DAY = 86_400


class UsageStore(Protocol):
    """The store, as this sees it."""

    async def document(self, key: DocumentKey) -> Document | None: ...

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T: ...


@dataclass(frozen=True, slots=True)
class StatementBytes:
    """What is allowed: of a registration in all, and of a learner in a day (UTC)."""

    statement_bytes: int
    learner_statement_bytes: int


@dataclass(slots=True)
class _Sum:
    written: int
    pending: int = 0


class StatementQuota:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, store: UsageStore, allowed: StatementBytes, clock: Clock) -> None:
        self._store = store
        self._allowed = allowed
        self._clock = clock
        self._sums: LRUCache[DocumentKey, _Sum] = LRUCache(_MOST_REMEMBERED)

    async def charge(self, registration: str, learner: str, size: int) -> OverQuota | None:
        """Count `size` bytes that are about to be stored; which quota has no room for them."""
        sums = [
            (key, await self._sum(key), over) for key, over in self._quotas(registration, learner)
        ]
        for _, used, over in sums:
            if used.written + used.pending + size > over.allowed:
                return over
        for _, used, _ in sums:
            used.pending += size
        for key, used, over in sums:
            if used.pending >= _WRITE_AT:
                await self._write(key, used)
                if used.written > over.allowed:  # other replicas have filled it meanwhile
                    return over
        return None

    def _quotas(self, registration: str, learner: str) -> Iterator[tuple[DocumentKey, OverQuota]]:
        allowed = self._allowed
        yield (
            DocumentKey("usage", name=registration),
            OverQuota("statement_bytes", allowed.statement_bytes),
        )
        day = int(self._clock.now()) // _DAY
        yield (
            DocumentKey("usage_of_day", name=f"{day} {learner.lower()}"),
            OverQuota("learner_statement_bytes", allowed.learner_statement_bytes),
        )

    async def _sum(self, key: DocumentKey) -> _Sum:
        used = self._sums.get(key)
        if used is None:
            document = await self._store.document(key)
            # another request may have asked meanwhile
            used = self._sums.setdefault(key, _Sum(_bytes_in(document)))
        return used

    async def _write(self, key: DocumentKey, used: _Sum) -> None:
        """Add what is pending to what all replicas wrote."""
        pending, used.pending = used.pending, 0
        now = micros(self._clock.now())

        def decide(old: Document | None) -> tuple[Document | None, int]:
            total = _bytes_in(old) + pending
            return Document("text/plain", str(total).encode(), "", now), total

        used.written += pending
        used.written = max(used.written, await self._store.change_document(key, decide))


def _bytes_in(document: Document | None) -> int:
    return 0 if document is None else int(document.content)
