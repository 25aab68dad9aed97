"""Puts SCORM commits in order, and hands them to the intake as statements or as dead letters.

Nobody sends a last commit again, and its player never learns what became of it. So what can't be
understood, or comes after its launch has expired, is a dead letter, and can be read again.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import InputRefused
from pointsman.domain.launch import Launch
from pointsman.domain.statement_ids import StatementIds
from pointsman.sources.batch import BatchReader, StatementIntake
from pointsman.sources.parse_thread import in_thread_if_large
from pointsman.statements.scorm import (
    Commit,
    ScormSession,
    commit_statement,
    order_commit,
    parse_commit,
)
from pointsman.statements.scorm.commit_order import session_from_json, session_to_json
from pointsman.store.base import Document, DocumentKey

T = TypeVar("T")

#: of one launch: a player that has its address must not fill the store
_MOST_LETTERS = 20
_ORIGIN = re.compile(r"SCORM commit of registration ([0-9a-f-]{36})(, the last)?")


class SessionStore(Protocol):
    """The store, as sessions see it."""

    async def document(self, key: DocumentKey) -> Document | None: ...

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T: ...


class CommitHandler:
    """Every method raises `StoreUnavailable`."""

    def __init__(
        self,
        source: str,
        store: SessionStore,
        reader: BatchReader,
        intake: StatementIntake,
        clock: Clock,
    ) -> None:
        self._source = source
        self._store = store
        self._reader = reader
        self._intake = intake
        self._clock = clock

    async def session(self, launch: Launch) -> ScormSession:
        document = await self._store.document(_key(launch.registration))
        return _session(document)

    async def accept(self, launch: Launch, body: bytes, *, player: str, final: bool) -> None:
        """One commit, stored as a statement; `player` names the run of the player, or is "".

        Raises `InputRefused` after it was kept as a dead letter.
        """
        try:
            commit = await in_thread_if_large(len(body), partial(parse_commit, body, final=final))
            at = await self._place(launch.registration, commit, player)
            xapi_statement = commit_statement(commit, launch, at, self._reader.ids, player)
            await self._intake.accept(
                self._reader.statements(
                    self._source, xapi_statement, launch=launch, all_or_nothing=False
                )
            )
        except InputRefused as refused:
            await self.keep_dead_letter(launch.registration, body, str(refused), final=final)
            raise

    async def keep_dead_letter(
        self, registration: str, body: bytes, reason: str, *, final: bool
    ) -> None:
        """The whole of it as a dead letter, with the reason, unless there are too many."""
        now = micros(self._clock.now())

        def decide(old: Document | None) -> tuple[Document | None, bool]:
            session = _session(old)
            if session.letters >= _MOST_LETTERS:
                return old, False
            return _document(replace(session, letters=session.letters + 1), now), True

        if not body:
            return
        may_keep = await self._store.change_document(_key(registration), decide)
        if may_keep:
            origin = f"SCORM commit of registration {registration}" + (
                ", the last" if final else ""
            )
            await self._intake.keep_dead_letter(self._source, body, reason, origin)

    async def _place(self, registration: str, commit: Commit, player: str) -> int:
        now = micros(self._clock.now())

        def decide(old: Document | None) -> tuple[Document | None, int]:
            session = _session(old)
            placed = order_commit(session, commit, player, now)
            if placed.session is session:
                return old, placed.at
            return _document(placed.session, now), placed.at

        return await self._store.change_document(_key(registration), decide)


def is_commit(origin: str) -> bool:
    """Whether a dead letter of this origin is a commit."""
    return _ORIGIN.fullmatch(origin) is not None


async def dead_commit_statement(
    origin: str,
    body: bytes,
    received_at: int,
    find: Callable[[str], Awaitable[Launch | None]],
    ids: StatementIds,
) -> dict[str, Any]:
    """The statement of a commit that is a dead letter. Raises `InputRefused`."""
    named = _ORIGIN.fullmatch(origin)
    launch = await find(named[1]) if named is not None else None
    if named is None or launch is None:
        raise InputRefused("its launch is not known any longer")
    commit = parse_commit(body, final=named[2] is not None)
    return commit_statement(commit, launch, received_at, ids)


def _key(registration: str) -> DocumentKey:
    return DocumentKey("session", name=registration)


def _session(document: Document | None) -> ScormSession:
    return ScormSession() if document is None else session_from_json(document.content)


def _document(session: ScormSession, now: int) -> Document:
    return Document("application/json", session_to_json(session), "", now)
