"""Bounds the bytes of statements that launches of one registration, and of one learner, bring.

What came is added up in documents of the store, which replicas share. It is written there once some
of it came together, so that an ordinary statement costs no write; a process that ends forgets no
more than that of each launch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cachetools import LRUCache

from pointsman.domain.clock import Clock, micros
from pointsman.store.base import Document, DocumentKey, DocumentResource, OverQuota

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
        self._clock = clock
        #: by registration, and by day and learner
        self._sums: LRUCache[str, _Sum] = LRUCache(_MOST_REMEMBERED)
        self._quotas: tuple[tuple[DocumentResource, OverQuota], ...] = (
            ("usage", OverQuota("statement_bytes", allowed.statement_bytes)),
            (
                "usage_of_day",
                OverQuota("learner_statement_bytes", allowed.learner_statement_bytes),
            ),
        )

    async def charge(self, registration: str, learner: str, size: int) -> OverQuota | None:
        """Count `size` bytes that are about to be stored; which quota has no room for them."""
        day = int(self._clock.now()) // _DAY
        names = registration, f"{day} {learner.lower()}"
        sums = [
            self._sums.get(name) or await self._read(DocumentKey(resource, name=name))
            for name, (resource, _) in zip(names, self._quotas, strict=True)
        ]
        for used, (_, over) in zip(sums, self._quotas, strict=True):
            if used.written + used.pending + size > over.allowed:
                return over
        for used in sums:
            used.pending += size
        for name, used, (resource, over) in zip(names, sums, self._quotas, strict=True):
            if used.pending >= _WRITE_AT:
                await self._write(DocumentKey(resource, name=name), used)
                if used.written > over.allowed:  # other replicas have filled it meanwhile
                    return over
        return None

    async def _read(self, key: DocumentKey) -> _Sum:
        document = await self._store.document(key)
        # another request may have asked meanwhile
        return self._sums.setdefault(key.name, _Sum(_bytes_in(document)))

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
