"""The store of a simulation in which input arrives by itself, when its time has come."""

from __future__ import annotations

from abc import abstractmethod

from pointsman.simulation.memory_store import MemoryStore
from pointsman.store.base import Lease
from pointsman.store.delivery_stores import LONGEST_PAUSE
from pointsman.store.turns import LONGEST_FRESHNESS, Choose


class ArrivingStore(MemoryStore):
    """What has arrived is taken in before anybody asks what is to be sent."""

    @abstractmethod
    async def arrive(self, now: int) -> None:
        """Take in what has happened until now (microseconds)."""

    @abstractmethod
    def next_arrival(self) -> int | None:
        """When something may arrive next (microseconds); None for never."""

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
        await self.arrive(now)
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
        times = [at for at in (ready_at, self.next_arrival()) if at is not None]
        return min(times, default=None)
