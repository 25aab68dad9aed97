"""The store of a simulation: learners' state is made when it is leased, or changes their turn."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Protocol

from pointsman.domain.clock import micros
from pointsman.domain.records import Change
from pointsman.domain.targets import Recipient, is_completion
from pointsman.simulation.arriving_store import ArrivingStore
from pointsman.simulation.virtual_time import EPOCH
from pointsman.store.base import Lease, Settlement
from pointsman.store.history_records import SentRequest
from pointsman.store.merge import merge
from pointsman.store.turns import Turn, turn_of, united

#: microseconds that it takes to arrive, so that rounding can't put the arrival before the event
_AFTER = 2


class Track(Protocol):
    """What one learner does. Times are seconds since the simulation began."""

    @property
    def recipient(self) -> Recipient: ...

    @property
    def source(self) -> str:
        """Where what is said about the learner comes from."""
        ...

    def changes_until(self, time: float) -> Sequence[tuple[float, Change]]:
        """(arrival, change) of all that was not handed out yet, in order of arrival."""
        ...

    def next_change(self) -> float:
        """When something happens next; infinity for never."""
        ...

    def next_completion(self) -> float:
        """When something is completed next."""
        ...


class SimulatedStore(ArrivingStore):
    """What learners do arrives by itself; there is nothing to ingest."""

    def __init__(self, tracks: Iterable[Track]) -> None:
        super().__init__()
        self._tracks = {track.recipient: track for track in tracks}
        #: (microseconds, number, recipient): when a learner's turn may change; the newest counts
        self._events: list[tuple[int, int, Recipient]] = []
        self._event_of: dict[Recipient, int] = {}
        self._numbers = 0
        #: when the last learner stops, seconds
        self.until = float("inf")
        for track in self._tracks.values():
            self._expect(track.recipient, track.next_change())

    async def settle(
        self,
        lease: Lease,
        settlements: Sequence[Settlement],
        *,
        now: int,
        ready_at: int,
        requests: Sequence[SentRequest] = (),  # noqa: ARG002 - for a history, and nothing is told here
    ) -> bool:
        await self.arrive(now)
        settled = await super().settle(lease, settlements, now=now, ready_at=ready_at)
        records = self._desired[lease.recipient]
        for settlement in settlements:
            record = records[settlement.target]
            if record.version == record.delivered_version and is_completion(
                record.target, record.value
            ):
                del records[record.target]  # nothing comes after it
        return settled

    def next_arrival(self) -> int | None:
        return self._events[0][0] if self._events else None

    def fill(self, recipient: Recipient, now: int) -> None:
        self._make(recipient, now / 1e6 - EPOCH)
        self._expect(recipient, self._tracks[recipient].next_change())

    async def arrive(self, now: int) -> None:
        """Whatever has happened until now changes the turns of those it happened to."""
        while self._events and self._events[0][0] <= now:
            at, number, recipient = heapq.heappop(self._events)
            if self._event_of.get(recipient) != number:
                continue
            urgent = self._make(recipient, at / 1e6 - EPOCH)
            track = self._tracks[recipient]
            if urgent is None:
                self._expect(recipient, track.next_change())
            elif not urgent:
                self._expect(recipient, track.next_completion())
            # with a completion to send nothing that follows changes its turn

    def _make(self, recipient: Recipient, time: float) -> bool | None:
        """Merge what happened until then; whether it completes something, None for no change."""
        turns: list[Turn] = []
        track = self._tracks[recipient]
        for at, change in track.changes_until(min(time, self.until)):
            current = self._desired[recipient].get(change.target)
            merged = merge(current, change, micros(EPOCH + at), track.source)
            if merged is current or (current is not None and merged.version == current.version):
                continue
            self.put(merged)
            turns.append(turn_of(merged))
        turn = united(turns)
        if turn is None:
            return None
        self.queue(recipient, turn)
        return turn.urgent

    def _expect(self, recipient: Recipient, time: float) -> None:
        self._numbers += 1
        self._event_of[recipient] = self._numbers
        if time <= self.until:
            arrives_at = micros(EPOCH + time) + _AFTER
            heapq.heappush(self._events, (arrives_at, self._numbers, recipient))
