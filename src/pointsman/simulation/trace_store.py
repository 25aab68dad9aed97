"""The store of a simulation that plays recorded statements again, at the pace of then."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from pointsman.domain.clock import micros
from pointsman.domain.records import Submission
from pointsman.simulation.memory_store import MemoryStore
from pointsman.simulation.virtual_time import EPOCH
from pointsman.store.base import Lease
from pointsman.store.delivery_stores import LONGEST_PAUSE
from pointsman.store.turns import LONGEST_FRESHNESS, Choose


class TraceStore(MemoryStore):
    """Takes each submission in when its time has come; the first at the beginning."""

    def __init__(self, submissions: Sequence[Submission]) -> None:
        super().__init__()
        ordered = sorted(submissions, key=lambda one: one.received_at)
        shift = micros(EPOCH) - ordered[0].received_at if ordered else 0
        self._to_come = deque(
            replace(one, received_at=one.received_at + shift, position=None) for one in ordered
        )
        #: seconds from the first to the last
        self.duration = (ordered[-1].received_at - ordered[0].received_at) / 1e6 if ordered else 0.0
        self.learners = len(
            {
                change.recipient
                for one in ordered
                for item in one.items
                for change in item.decision.changes
            }
        )

    async def lease(
        self,
        *,
        now: int,
        ttl: int,
        limit: int,
        longest_pause: int = LONGEST_PAUSE,
        choose: Choose | None = None,
        due_within: int = LONGEST_FRESHNESS,
    ) -> list[Lease]:
        while self._to_come and self._to_come[0].received_at <= now:
            await self.ingest([self._to_come.popleft()])
        return await super().lease(
            now=now,
            ttl=ttl,
            limit=limit,
            longest_pause=longest_pause,
            choose=choose,
            due_within=due_within,
        )

    async def next_ready_at(self, *, due_within: int = LONGEST_FRESHNESS) -> int | None:
        ready_at = await super().next_ready_at(due_within=due_within)
        if not self._to_come:
            return ready_at
        arrives_at = self._to_come[0].received_at
        return arrives_at if ready_at is None else min(arrives_at, ready_at)
