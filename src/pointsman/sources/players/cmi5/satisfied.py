"""Watches what is stored, and states `satisfied` once a launch's moveOn is met (section 9.3.9).

It looks after the commit, at all that the store has of the registration: of two replicas that store
the two halves at once, the later one sees both. What could not be looked at is looked at again with
the next input, whoever sends it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any

import orjson
import structlog
from pydantic import ValidationError

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.launch import Launch, LaunchMode, PlayerKind
from pointsman.domain.records import Receipt, Submission
from pointsman.sources.players import LaunchCache
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.lms_statements import satisfied, satisfied_id
from pointsman.sources.players.cmi5.move_on import NOT_APPLICABLE, counts, is_met
from pointsman.sources.players.cmi5.session_store import Cmi5SessionStore, LmsStore
from pointsman.statements import STATEMENT, Statement
from pointsman.statements.query import key
from pointsman.store.base import Search, StoredStatement

log = structlog.get_logger(__name__)

#: says a statement of the LMS through the intake; one that was said already is nothing new
State = Callable[[Launch, dict[str, Any]], Awaitable[None]]
_AT_ONCE = 100
#: registrations that are known to be satisfied; a forgotten one costs a look
_MOST = 50_000


class SatisfiedTracker:
    """Stands between intake and store. Until `state` is given it only passes on."""

    def __init__(self, store: LmsStore, launches: LaunchCache, clock: Clock) -> None:
        self._store = store
        self._launches = launches
        self._clock = clock
        self._register = Cmi5SessionStore(store, clock)
        self._satisfied: OrderedDict[str, None] = OrderedDict()
        #: launches that could not be looked at
        self._owed: dict[str, Launch] = {}
        self.state: State | None = None

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """As the store's; what follows from it is stated before this returns."""
        receipts = await self._store.ingest(submissions)
        await self.look(self._launches.named(one.body for one in submissions))
        return receipts

    async def look(self, launches: Iterable[Launch]) -> None:
        """State what these launches, and those that are owed it, are due."""
        due = {one.registration: one for one in launches} | self._owed
        for registration, launch in due.items():
            self._owed.pop(registration, None)
            try:
                await self._look_at(launch)
            except StoreUnavailable as error:
                self._owed[registration] = launch
                log.warning(
                    "whether moveOn is met could not be looked up; it will be with the next input",
                    registration=registration,
                    learner=launch.learner,
                    reason=str(error),
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
        if await self._store.statement(satisfied_id(launch)) is None:
            if not await self._is_met(launch):
                return
            await self.state(launch, satisfied(launch, micros(self._clock.now())))
        self._satisfied[launch.registration] = None
        while len(self._satisfied) > _MOST:
            self._satisfied.popitem(last=False)

    async def _is_met(self, launch: Launch) -> bool:
        if launch.move_on == NOT_APPLICABLE or await self._was_said(launch, vocabulary.WAIVED):
            return True
        return is_met(
            launch.move_on,
            completed=await self._was_said(launch, vocabulary.COMPLETED),
            passed=await self._was_said(launch, vocabulary.PASSED),
        )

    async def _was_said(self, launch: Launch, verb: str) -> bool:
        sessions = await self._register.all(launch.registration)
        async for kept, statement in stated_in_registration(self._store, launch, verb):
            if counts(launch, statement, sessions) and not await self._store.voided(
                [kept.statement_id]
            ):
                return True
        return False


async def stated_in_registration(
    store: LmsStore, launch: Launch, verb: str | None = None
) -> AsyncIterator[tuple[StoredStatement, Statement]]:
    """All that was stated under this registration, with this verb where one is given; newest first.

    Raises `StoreUnavailable`.
    """
    keys = [key("registration", launch.registration)]
    if verb is not None:
        keys.append(key("verb", verb))
    search: Search | None = Search(keys=tuple(keys))
    while search is not None:
        page = await store.search(search, limit=_AT_ONCE)
        for _, kept in page.found:
            statement = _parsed(kept)
            if statement is not None and _is_of(statement, launch, verb):
                yield kept, statement
        search = None if page.after is None else Search(keys=tuple(keys), after=page.after)


def _is_of(statement: Statement, launch: Launch, verb: str | None) -> bool:
    """Keys are hashes, so what they find is looked at."""
    if verb is not None and statement.verb.id != verb:
        return False
    context = statement.context
    registration = context.registration if context is not None else None
    return registration is not None and registration.lower() == launch.registration


def _parsed(kept: StoredStatement) -> Statement | None:
    found = orjson.loads(kept.body)
    try:
        return STATEMENT.validate_python(found if kept.index is None else found[kept.index])
    except ValidationError:  # it was valid to the version that stored it
        return None
