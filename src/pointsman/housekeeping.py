"""Prunes what is old now and then, by one replica at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.log_steps import STORE_AWAY
from pointsman.store.base import DocumentResource, Store

log = structlog.get_logger(__name__)

#: seconds between two rounds, and how long a replica has the duty without a word
_EVERY, _DUTY = 60.0, 10.0
#: commits that one step forgets, and the pause after it that leaves the store to others
_STEP, _PAUSE = 4, 0.2
#: learners whose history one round looks through, and in one step
_LEARNERS, _LEARNERS_AT_ONCE = 1_000, 50
DUTY = "housekeeping"
_LAUNCHES: tuple[DocumentResource, ...] = ("launch", "session", "launch_token")
#: what bounds a launch is kept for longer than any credential of it is good
_BOUNDS: tuple[DocumentResource, ...] = ("revocation", "usage")
#: players' documents that one step forgets
_DOCUMENTS = 200
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is kept, in seconds; 0 keeps it for ever."""

    #: statements, launches, their sessions and authTokens
    statements: float
    #: what operators did
    actions: float
    #: that a launch was revoked, and how much it stored
    bounds: float
    #: state of registrations, after their last launch ended
    documents: float
    #: what explains a learner's state; never for ever, and of a learner so many rows of each sort
    history: float
    history_rows: int


class Housekeeper:
    """Runs until cancelled. What is kept for 0 seconds is kept for ever."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        retention: Retention,
        on_pruned: Callable[[int], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._retention = retention
        #: the learner up to whom the history was looked through
        self._after = ""
        self._on_pruned = on_pruned

    async def run(self) -> None:
        while True:
            try:
                done = await self.round()
            except StoreUnavailable as error:
                log.warning("housekeeping waits for the store", reason=str(error), next=STORE_AWAY)
                done = False
            await self._clock.sleep(_EVERY if done else _DUTY)

    async def round(self) -> bool:
        """Forget what is too old, step by step; False when another replica is at it."""
        statements = states = 0
        while await self._store.acquire_duty(DUTY, now=self._now(), ttl=micros(_DUTY)):
            pruned, forgotten = await self._prune_statements(), await self._prune_states()
            if not pruned and not forgotten:
                if statements:
                    log.info("old statements forgotten", statements=statements)
                if states:
                    log.info("state of launches that are over forgotten", documents=states)
                await self._prune_records()
                return await self._prune_history()
            statements, states = statements + pruned, states + forgotten
            self._on_pruned(pruned)
            await self._clock.sleep(_PAUSE)
        return False

    async def _prune_statements(self) -> int:
        if not self._retention.statements:
            return 0
        before = self._before(self._retention.statements)
        return await self._store.prune(before=before, limit=_STEP)

    async def _prune_states(self) -> int:
        if not self._retention.documents:
            return 0
        before = self._before(self._retention.documents)
        return await self._store.prune_ended_states(before=before, limit=_DOCUMENTS)

    async def _prune_records(self) -> None:
        """Launches, and what operators did."""
        kept = self._retention
        if kept.statements:
            before = self._before(kept.statements)
            if launches := await self._store.prune_documents(_LAUNCHES, before=before):
                log.info("old launches forgotten", records=launches)
            await self._store.prune_documents(_BOUNDS, before=self._before(kept.bounds))
        # today's counts, and yesterday's where a clock is late
        await self._store.prune_documents(("usage_of_day",), before=self._before(2 * _DAY))
        if kept.actions:
            before = self._before(kept.actions)
            if actions := await self._store.prune_actions(before=before):
                log.info("old records of what operators did forgotten", records=actions)

    async def _prune_history(self) -> bool:
        """A part of it, so that each learner's turn comes in time; False as `round` says."""
        for _ in range(_LEARNERS // _LEARNERS_AT_ONCE):
            if not await self._store.acquire_duty(DUTY, now=self._now(), ttl=micros(_DUTY)):
                return False
            pruned = await self._store.prune_history(
                before=self._before(self._retention.history),
                keep=self._retention.history_rows,
                after=self._after,
                learners=_LEARNERS_AT_ONCE,
            )
            self._after = pruned.after
            if not pruned.after:
                break
            await self._clock.sleep(_PAUSE)
        return True

    def _before(self, seconds: float) -> int:
        return self._now() - micros(seconds)

    def _now(self) -> int:
        return micros(self._clock.now())
