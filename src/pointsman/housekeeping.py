"""Prunes statements and history that are old now and then, by one replica at a time."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.log_steps import STORE_AWAY
from pointsman.store.base import Store
from pointsman.store.settings import StoreSettings

log = structlog.get_logger(__name__)

#: seconds between two rounds, and how long a replica has the duty without a word
_EVERY, _DUTY = 60.0, 10.0
#: commits that one step forgets, and the pause after it that leaves the store to others
_STEP, _PAUSE = 4, 0.2
#: learners whose history one round looks through, and in one step
_LEARNERS, _LEARNERS_AT_ONCE = 1_000, 50
_DAY = 86_400.0
DUTY = "housekeeping"


class Housekeeper:
    """Runs until cancelled. `retention_days` of 0 keeps every statement."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        settings: StoreSettings,
        on_pruned: Callable[[int], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._retention = settings.retention_days * _DAY
        self._history = settings.history_days * _DAY
        self._history_rows = settings.history_rows
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
        pruned = 0
        while await self._store.acquire_duty(DUTY, now=self._now(), ttl=micros(_DUTY)):
            if not self._retention:
                return await self._prune_history()
            before = self._now() - micros(self._retention)
            step = await self._store.prune(before=before, limit=_STEP)
            if not step:
                if pruned:
                    log.info("old statements forgotten", statements=pruned)
                if launches := await self._store.prune_documents(before=before):
                    log.info("old launches forgotten", records=launches)
                return await self._prune_history()
            pruned += step
            self._on_pruned(step)
            await self._clock.sleep(_PAUSE)
        return False

    async def _prune_history(self) -> bool:
        """A part of it, so that each learner's turn comes in time; False as `round` says."""
        for _ in range(_LEARNERS // _LEARNERS_AT_ONCE):
            if not await self._store.acquire_duty(DUTY, now=self._now(), ttl=micros(_DUTY)):
                return False
            pruned = await self._store.prune_history(
                before=self._now() - micros(self._history),
                keep=self._history_rows,
                after=self._after,
                learners=_LEARNERS_AT_ONCE,
            )
            self._after = pruned.after
            if not pruned.after:
                break
            await self._clock.sleep(_PAUSE)
        return True

    def _now(self) -> int:
        return micros(self._clock.now())
