"""Stores the sessions of a registration: one document, changed in one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeVar

from pointsman.domain.clock import Clock, micros
from pointsman.domain.launch import Launch
from pointsman.domain.records import Receipt, Submission
from pointsman.sources.players.cmi5 import session as pure
from pointsman.sources.players.cmi5.session import Cmi5Session, Sessions
from pointsman.store.base import Document, DocumentKey, Search, SearchPage, StoredStatement

T = TypeVar("T")
_JSON = "application/json"


class LmsStore(Protocol):
    """The store, as the LMS side of cmi5 sees it."""

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]: ...

    async def statement(self, statement_id: str) -> StoredStatement | None: ...

    async def search(self, search: Search, *, limit: int) -> SearchPage: ...

    async def voided(self, statement_ids: Sequence[str]) -> set[str]: ...

    async def document(self, key: DocumentKey) -> Document | None: ...

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T: ...


class Cmi5SessionStore:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, store: LmsStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def all(self, registration: str) -> Sessions:
        """Oldest first."""
        document = await self._store.document(_key(registration))
        return () if document is None else pure.load(document.content)

    async def find(self, launch: Launch) -> Cmi5Session | None:
        """The one whose credential was shown."""
        return pure.find(await self.all(launch.registration), launch.session)

    async def open(self, launch: Launch) -> Sessions:
        """With the launch's session as the newest; one that was not terminated is over by that."""
        new = Cmi5Session(launch.session, launch.opened_at, launch.mode)

        def decide(old: Sessions) -> tuple[Sessions, Sessions]:
            sessions = pure.with_new(old, new)
            return sessions, sessions

        return await self._change(launch.registration, decide)

    async def mark_fetched(self, launch: Launch) -> bool:
        """Whether its credential is given now; it is given once, whoever asks and wherever."""

        def decide(old: Sessions) -> tuple[Sessions, bool]:
            if not pure.may_be_fetched(pure.find(old, launch.session)):
                return old, False
            return pure.changed(old, launch.session, partial(replace, fetched=True)), True

        return await self._change(launch.registration, decide)

    async def change(self, launch: Launch, change: Callable[[Cmi5Session], Cmi5Session]) -> None:
        def decide(old: Sessions) -> tuple[Sessions, None]:
            return pure.changed(old, launch.session, change), None

        await self._change(launch.registration, decide)

    async def _change(
        self, registration: str, decide: Callable[[Sessions], tuple[Sessions, T]]
    ) -> T:
        def on_document(old: Document | None) -> tuple[Document | None, T]:
            sessions = () if old is None else pure.load(old.content)
            new, result = decide(sessions)
            if new == sessions:
                return old, result
            return Document(_JSON, pure.dump(new), "", micros(self._clock.now())), result

        return await self._store.change_document(_key(registration), on_document)


def _key(registration: str) -> DocumentKey:
    return DocumentKey("session", name=registration)
