"""The store of a simulation that plays recorded statements again, at the pace of then."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from pointsman.domain.clock import micros
from pointsman.domain.records import Submission
from pointsman.simulation.arriving_store import ArrivingStore
from pointsman.simulation.virtual_time import EPOCH


class TraceStore(ArrivingStore):
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

    async def arrive(self, now: int) -> None:
        while self._to_come and self._to_come[0].received_at <= now:
            await self.ingest([self._to_come.popleft()])

    def next_arrival(self) -> int | None:
        return self._to_come[0].received_at if self._to_come else None
