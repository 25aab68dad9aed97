"""Refuses input of people who were forgotten, for as long as an operator said.

The list is in the store, as keyed hashes. It is read every few seconds, and what was refused is
added to it, for everybody to see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

import orjson
import structlog

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Forbidden, InputRefused, StoreUnavailable
from pointsman.domain.launch import Launch
from pointsman.domain.log_steps import STORE_AWAY
from pointsman.domain.pseudonyms import Pseudonyms
from pointsman.domain.records import Actor
from pointsman.privacy.identity_rules import actor_of_identity, actor_of_json
from pointsman.privacy.refusal_hashes import hash_of_actor, hash_of_learner
from pointsman.sources.batch import StatementBatch
from pointsman.statements import write_json
from pointsman.store.base import RefusedLearner

log = structlog.get_logger(__name__)

#: seconds between two looks at the list
_EVERY = 5.0
_REASON = (
    "input of this learner is refused: an operator has forgotten them (pointsman forget "
    "--refuse-for)"
)


class RefusalStore(Protocol):
    """The store, as the list sees it."""

    async def installation_secret(self) -> bytes: ...

    async def refused_learners(self) -> list[RefusedLearner]: ...

    async def count_refused(self, inputs: Mapping[str, int], *, now: int) -> None: ...


class RefusedLearners:
    """`resolve` makes a learner of an actor; `on_refused` is told the source of each input.

    `is_any` says whether there is anybody to look for: most installations have nobody.
    """

    def __init__(
        self,
        store: RefusalStore,
        resolve: Callable[[Actor], str],
        clock: Clock,
        on_refused: Callable[[str], None] = lambda _source: None,
    ) -> None:
        self.is_any = False
        self._store = store
        self._resolve = resolve
        self._clock = clock
        self._on_refused = on_refused
        self._pseudonyms = Pseudonyms()
        self._hashes: frozenset[str] = frozenset()
        self._uncounted: Counter[str] = Counter()

    def reconfigure(self, resolve: Callable[[Actor], str]) -> None:
        """From now on actors are these learners."""
        self._resolve = resolve

    async def run(self) -> None:
        """Read the list again and again, until cancelled."""
        while True:
            await self._clock.sleep(_EVERY)
            try:
                await self.refresh()
            except StoreUnavailable as error:
                log.warning(
                    "the list of refused learners waits for the store",
                    reason=str(error),
                    next=STORE_AWAY,
                )

    async def refresh(self) -> None:
        """Read the list, and add to it what was refused. Raises `StoreUnavailable`."""
        now = micros(self._clock.now())
        refused = await self._store.refused_learners()
        if refused:
            self._pseudonyms.use(await self._store.installation_secret())
        self._hashes = frozenset(row.hash for row in refused if row.until > now)
        self.is_any = bool(self._hashes)
        if self._uncounted or any(row.until <= now for row in refused):
            counted, self._uncounted = self._uncounted, Counter()
            try:
                await self._store.count_refused(counted, now=now)
            except StoreUnavailable:
                self._uncounted.update(counted)
                raise

    def must_take_documents(self, identity: str, source: str) -> None:
        """Raises `Forbidden` for the identity of a refused agent."""
        actor = actor_of_identity(identity) if self.is_any else None
        if actor is not None and self._refuses(self._hashes_of(actor), source):
            raise Forbidden(_REASON)

    def must_take_launch(self, launch: Launch) -> None:
        """Raises `Forbidden` for a launch of a refused learner."""
        if self.is_any:
            names = {launch.learner, launch.learner.lower()}
            hashes = {hash_of_learner(name, self._pseudonyms) for name in names}
            if self._refuses({*hashes, *self._hashes_of(launch.actor)}, "launch"):
                raise Forbidden(_REASON)

    def leave_out(self, batch: StatementBatch) -> StatementBatch:
        """A batch without the statements of refused actors, which may leave nothing of it.

        Raises `Forbidden` for a launched player, who is told; who forwards statements of many
        learners must not come to a stop by it.
        """
        items = [item for item in batch.items if not self._is_refused(batch, item.index)]
        invalid = [item for item in batch.invalid if not self._is_refused(batch, item.index)]
        if len(items) == len(batch.items) and len(invalid) == len(batch.invalid):
            return batch
        if batch.launch is not None:
            raise Forbidden(_REASON)
        # what is nested too deep to be written is told of, and its text is left out
        staying = {item.index for item in items} | {
            item.index for item in invalid if _can_be_written(batch.json, item.index)
        }
        json = (
            [one if index in staying else None for index, one in enumerate(batch.json)]
            if isinstance(batch.json, list)
            else batch.json
        )
        body = orjson.dumps(json) if staying else b"null"
        return replace(
            batch,
            body=body,
            json=json,
            message=body,
            items=tuple(items),
            invalid=tuple(invalid),
            attachments=tuple(
                data for data in batch.attachments if data.sha2.encode() in body.lower()
            ),
        )

    def _is_refused(self, batch: StatementBatch, index: int | None) -> bool:
        statement: Any = batch.json if index is None else batch.json[index]
        agent = statement.get("actor") if isinstance(statement, dict) else None
        actor = actor_of_json(agent) if isinstance(agent, dict) else None
        return actor is not None and self._refuses(self._hashes_of(actor), batch.source)

    def _refuses(self, hashes: set[str], source: str) -> bool:
        refused = min(hashes & self._hashes, default=None)
        if refused is None:
            return False
        self._uncounted[refused] += 1
        self._on_refused(source)
        return True

    def _hashes_of(self, actor: Actor) -> set[str]:
        learner = hash_of_learner(self._resolve(actor), self._pseudonyms)
        return {learner, hash_of_actor(actor, self._pseudonyms)}


def _can_be_written(json: Any, index: int | None) -> bool:
    try:
        write_json(json if index is None else json[index])
    except InputRefused:
        return False
    return True
