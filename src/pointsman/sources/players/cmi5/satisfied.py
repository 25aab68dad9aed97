"""States `satisfied` once what is stored meets a launch's moveOn (cmi5 section 9.3.9).

It looks after the commit, at all that the store has of the registration: of two replicas that store
the two halves at once, the later one sees both. What could not be looked at is looked at again with
the next input, whoever sends it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import structlog
from cachetools import LRUCache

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.launch import Launch, LaunchMode, PlayerKind
from pointsman.domain.log_steps import STORE_AWAY
from pointsman.domain.records import Receipt, Submission
from pointsman.domain.statement_ids import DerivedId, StatementIds
from pointsman.sources.batch import StatementBatch
from pointsman.sources.players import LaunchCache
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.lms_statements import (
    registration_session,
    satisfied,
    satisfied_id,
    voiding_id,
    waived_session,
)
from pointsman.sources.players.cmi5.move_on import NOT_APPLICABLE, counts, is_met
from pointsman.sources.players.cmi5.session_store import Cmi5SessionStore, LmsStore
from pointsman.sources.stored_statement import parse_stored
from pointsman.statements import Statement
from pointsman.statements.query import key
from pointsman.store.base import Search, StoredStatement

log = structlog.get_logger(__name__)

#: says a statement of the LMS through the intake, about the launch's activity where there is one;
#: what was said already is nothing new
State = Callable[[Launch | None, dict[str, Any]], Awaitable[None]]
_AT_ONCE = 100
#: registrations that are known to be satisfied; a forgotten one costs a look
_MOST_SATISFIED = 50_000
#: statements that are on their way to the store; a forgotten one is parsed again
_MOST_NOTED = 1_000
_COUNTING = frozenset({vocabulary.COMPLETED, vocabulary.PASSED, vocabulary.WAIVED})


@dataclass(frozen=True, slots=True)
class _Noted:
    """A statement that is being stored, with the body and the place in it that it is stored as."""

    body: bytes
    index: int | None
    statement: Statement


class SatisfiedTracker:
    """Stands between pipeline and store. Until `state` is set it only passes on."""

    def __init__(
        self, store: LmsStore, launches: LaunchCache, ids: StatementIds, clock: Clock
    ) -> None:
        self._store = store
        self._ids = ids
        self._launches = launches
        self._clock = clock
        self._sessions = Cmi5SessionStore(store, clock)
        self._satisfied: LRUCache[str, bool] = LRUCache(_MOST_SATISFIED)
        #: launches that could not be looked at
        self._overdue: dict[str, Launch] = {}
        # large batches are noted from threads of their own
        self._lock = Lock()
        #: by statement id
        self._noted: LRUCache[str, _Noted] = LRUCache(_MOST_NOTED)
        self.state: State | None = None

    def note(self, batch: StatementBatch) -> None:
        """Keep what was just validated, so that it need not be parsed again once it is stored.

        In any thread.
        """
        for place, item in enumerate(batch.items):
            if item.statement.verb.id in _COUNTING:
                body = batch.messages[place].body if batch.messages else batch.body
                with self._lock:
                    self._noted[item.statement_id] = _Noted(body, item.index, item.statement)

    def ingest(self, submissions: Sequence[Submission]) -> Coroutine[Any, Any, list[Receipt]]:
        """As the store's; what follows from it is stated before this returns."""
        if not self._launches.is_any_cmi5 and not self._overdue:
            return self._store.ingest(submissions)
        return self._ingest(submissions)

    async def _ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        receipts = await self._store.ingest(submissions)
        await self.look(self._launches.named_cmi5(submission.body for submission in submissions))
        return receipts

    async def look(self, launches: Iterable[Launch]) -> None:
        """State what is due of these launches, and of those that could not be looked at before."""
        due = {launch.registration: launch for launch in launches} | self._overdue
        for registration, launch in due.items():
            self._overdue.pop(registration, None)
            try:
                await self._look_at(launch)
            except StoreUnavailable as error:
                self._overdue[registration] = launch
                log.warning(
                    "whether moveOn is met could not be looked up; it will be with the next input",
                    registration=registration,
                    learner=launch.learner,
                    reason=str(error),
                    next=STORE_AWAY,
                )

    async def _look_at(self, launch: Launch) -> None:
        if (
            self.state is None
            or launch.kind is not PlayerKind.CMI5
            or not launch.move_on
            or launch.mode is not LaunchMode.NORMAL
            or launch.registration in self._satisfied
        ):
            return
        if not await is_stated(self._store, self._ids, satisfied_id(self._ids, launch)):
            session = await self._session_that_met(launch)
            if session is None:
                return
            now = micros(self._clock.now())
            await self.state(launch, satisfied(self._ids, launch, session, now))
        self._satisfied[launch.registration] = True

    async def _session_that_met(self, launch: Launch) -> str | None:
        """The session in which moveOn was met, or the operator waived it; None while it is not."""
        if launch.move_on == NOT_APPLICABLE:
            return registration_session(launch)
        if await self._is_stated(launch, vocabulary.WAIVED):
            return waived_session(launch)
        met = is_met(
            launch.move_on,
            completed=await self._is_stated(launch, vocabulary.COMPLETED),
            passed=await self._is_stated(launch, vocabulary.PASSED),
        )
        return launch.session if met else None

    async def _is_stated(self, launch: Launch, verb: str) -> bool:
        sessions = await self._sessions.all(launch.registration)
        stated = stated_in_registration(self._store, launch, verb, self._read)
        async for stored, statement in stated:
            if counts(launch, statement, sessions) and not await self._is_voided_by_others(stored):
                return True
        return False

    async def _is_voided_by_others(self, stored: StoredStatement) -> bool:
        """What the LMS voids for its form says what it says (section 6.3)."""
        if not await self._store.voided([stored.statement_id]):
            return False
        voiding = voiding_id(self._ids, stored.statement_id)
        return not await is_stated(self._store, self._ids, voiding)

    def _read(self, stored: StoredStatement) -> Statement | None:
        with self._lock:
            noted = self._noted.pop(stored.statement_id, None)
        if noted is not None and (noted.body, noted.index) == (stored.body, stored.index):
            return noted.statement
        return parse_stored(stored)


async def is_stated(store: LmsStore, ids: StatementIds, statement_id: DerivedId) -> bool:
    """Whether the LMS has stated it, in this version or an earlier one."""
    if await store.statement(statement_id) is not None:
        return True
    former = await store.statement(statement_id.former) if statement_id.former else None
    return former is not None and former.received_at < ids.former_until


async def stated_in_registration(
    store: LmsStore,
    launch: Launch,
    verb: str | None = None,
    read: Callable[[StoredStatement], Statement | None] | None = None,
) -> AsyncIterator[tuple[StoredStatement, Statement]]:
    """All that was stated under this registration, with this verb where one is given; newest first.

    `read` parses what is stored, as `parse_stored` does. Raises `StoreUnavailable`.
    """
    keys = [key("registration", launch.registration)]
    if verb is not None:
        keys.append(key("verb", verb))
    search: Search | None = Search(keys=tuple(keys))
    while search is not None:
        page = await store.search(search, limit=_AT_ONCE)
        for _, stored in page.found:
            statement = (read or parse_stored)(stored)
            if statement is not None and _is_of(statement, launch, verb):
                yield stored, statement
        search = None if page.after is None else Search(keys=tuple(keys), after=page.after)


def _is_of(statement: Statement, launch: Launch, verb: str | None) -> bool:
    """Keys are hashes, so what they find is looked at."""
    if verb is not None and statement.verb.id != verb:
        return False
    context = statement.context
    registration = context.registration if context is not None else None
    return registration is not None and registration.lower() == launch.registration
