"""Acts as the LMS of cmi5: opens a launch's session, gives its credential, waives and voids.

cmi5 sections 6.3, 8.2 (fetch), 9.3.1 (launched), 9.3.6 (abandoned), 9.3.7 (waived), 10 and 11.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import orjson

from pointsman.domain.clock import Clock, micros
from pointsman.domain.launch import Launch, LaunchMode
from pointsman.domain.statement_ids import StatementIds
from pointsman.sources.players.cmi5 import lms_statements, vocabulary
from pointsman.sources.players.cmi5.launch_data import launch_data, preferences
from pointsman.sources.players.cmi5.move_on import session_of
from pointsman.sources.players.cmi5.satisfied import (
    SatisfiedTracker,
    State,
    is_stated,
    stated_in_registration,
)
from pointsman.sources.players.cmi5.session import Cmi5Session
from pointsman.sources.players.cmi5.session_store import Cmi5SessionStore, LmsStore
from pointsman.statements import identity_of
from pointsman.statements.statement import parse_timestamp
from pointsman.store.base import Document, DocumentKey, StoredStatement


class Lms:
    """Every method raises `StoreUnavailable`; each can be repeated, and states nothing twice."""

    def __init__(
        self,
        store: LmsStore,
        following: SatisfiedTracker,
        state: State,
        ids: StatementIds,
        clock: Clock,
        home_page: str,
    ) -> None:
        """`home_page` is that of the account that voids."""
        self._sessions = Cmi5SessionStore(store, clock)
        self._store = store
        self._following = following
        self._state = state
        self._ids = ids
        self._clock = clock
        self._home_page = home_page

    @property
    def sessions(self) -> Cmi5SessionStore:
        return self._sessions

    async def open(self, launch: Launch, url: str | None) -> None:
        """Begin the launch's session; whoever asked for it is answered after that."""
        sessions = await self._sessions.open(launch)
        await self._write_launch_data(launch)
        for earlier in sessions:
            if earlier.was_abandoned:
                await self._abandon(launch, earlier)
        # what is satisfied with the registration is so before the launch (section 9.6.1)
        await self._following.look([launch])
        await self._state(launch, lms_statements.launched(self._ids, launch, url, self._now()))

    async def fetch(self, launch: Launch) -> bool:
        """Whether the session's credential may be given: once, and while the session lasts."""
        return await self._sessions.mark_fetched(launch)

    async def waive(self, launch: Launch, reason: str) -> str:
        """State that the learner need not do it; the statement's id."""
        statement_id = lms_statements.waived_id(self._ids, launch)
        if not await is_stated(self._store, self._ids, statement_id):
            counting = replace(launch, mode=LaunchMode.NORMAL)
            await self._state(
                counting, lms_statements.waived(self._ids, launch, reason, self._now())
            )
        return statement_id

    async def stored(self, statement_id: str) -> StoredStatement | None:
        return await self._store.statement(statement_id)

    async def void(self, launch: Launch, statement_id: str) -> None:
        """State that it conflicts with cmi5; what it counts for, it counts for all the same."""
        voiding_id = lms_statements.voiding_id(self._ids, statement_id)
        if not await is_stated(self._store, self._ids, voiding_id):
            voiding = lms_statements.voided(
                self._ids, launch, statement_id, self._home_page, self._now()
            )
            await self._state(None, voiding)

    async def _write_launch_data(self, launch: Launch) -> None:
        """Write what the player reads at its start."""
        agent = identity_of(launch.actor)
        await self._put(
            DocumentKey(
                "state", launch.activity, agent, launch.registration, vocabulary.LAUNCH_DATA
            ),
            launch_data(launch),
        )
        preferred = preferences(launch)
        if preferred is not None:
            key = DocumentKey("agent_profile", agent=agent, name=vocabulary.PREFERENCES)
            await self._put(key, preferred)

    async def _put(self, key: DocumentKey, value: dict[str, Any]) -> None:
        content = orjson.dumps(value)
        etag = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        document = Document("application/json", content, etag, self._now())
        await self._store.change_document(key, lambda _old: (document, None))

    async def _abandon(self, launch: Launch, session: Cmi5Session) -> None:
        if await is_stated(self._store, self._ids, lms_statements.abandoned_id(self._ids, session)):
            return
        last = session.opened_at
        async for stored, statement in stated_in_registration(self._store, launch):
            if session_of(statement) != session.id:
                continue
            if statement.verb.id == vocabulary.TERMINATED:
                return  # its end was stored, and not noted
            last = max(last, _when(statement.timestamp, stored.received_at))
        await self._state(
            launch, lms_statements.abandoned(self._ids, launch, session, last, self._now())
        )

    def _now(self) -> int:
        return micros(self._clock.now())


def _when(timestamp: str | None, received_at: int) -> int:
    """Never later than it arrived, as for progress."""
    if timestamp is None:
        return received_at
    at = parse_timestamp(timestamp)
    return received_at if at.tzinfo is None else min(received_at, micros(at.timestamp()))
