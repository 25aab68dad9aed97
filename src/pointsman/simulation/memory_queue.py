"""The queue of a store in memory: whose turn comes when, in heaps."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from pointsman.domain.targets import Recipient
from pointsman.store.records import Hold
from pointsman.store.turns import Turn, WaitingTurn


@dataclass(slots=True)
class Place:
    """A recipient's row of the queue, as in the stores' table `learners`."""

    #: None when there is nothing to send
    turn: Turn | None = None
    ready: bool = True
    ready_at: int = 0
    hold: Hold = Hold.NOTHING
    token: int = 0
    leased_at: int = 0

    def due_in_queue(self) -> int | None:
        return self.turn.due if self.turn is not None and self.ready else None

    def waits_until(self) -> int | None:
        return self.ready_at if self.turn is not None and not self.ready else None

    def deadline_in_queue(self) -> int | None:
        return self.turn.deadline if self.turn is not None and self.ready else None


#: (when, the entry's number, whose)
_Entry = tuple[int, int, Recipient]
#: urgent or not, source, rule
_Queue = tuple[bool, str, str]


class MemoryQueue:
    """The places of all recipients. Times are microseconds since the Unix epoch."""

    def __init__(self) -> None:
        self.places: dict[Recipient, Place] = {}
        #: by `due` those that are ready, for each queue, and by `ready_at` those that wait; entries
        #: that their recipient has moved away from are dropped when they come up
        self._queues: defaultdict[_Queue, list[_Entry]] = defaultdict(list)
        self._held: list[_Entry] = []
        self._deadlines: defaultdict[bool, list[_Entry]] = defaultdict(list)
        self._entries = 0
        #: how many recipients have something to send
        self.waiting = 0
        #: how many recipients wait for nothing but their turn
        self.ready = 0

    def move(
        self,
        recipient: Recipient,
        place: Place,
        turn: Turn | None,
        *,
        ready: bool,
        ready_at: int | None = None,
    ) -> None:
        """Change a recipient's place, and note where it is now."""
        was_ready = place.turn is not None and place.ready
        self.waiting += (turn is not None) - (place.turn is not None)
        self.ready += (turn is not None and ready) - was_ready
        place.turn, place.ready = turn, ready
        place.ready_at = place.ready_at if ready_at is None else ready_at
        if turn is None:
            return
        self._entries += 1
        if not ready:
            heapq.heappush(self._held, (place.ready_at, self._entries, recipient))
            return
        queue = self._queues[turn.urgent, turn.source, turn.rule]
        heapq.heappush(queue, (turn.due, self._entries, recipient))
        if turn.deadline:
            entry = (turn.deadline, self._entries, recipient)
            heapq.heappush(self._deadlines[turn.urgent], entry)

    def _first(self, heap: list[_Entry], time: Callable[[Place], int | None]) -> _Entry | None:
        """The first entry that is still true."""
        while heap:
            if heap[0][0] == time(self.places[heap[0][2]]):
                return heap[0]
            heapq.heappop(heap)
        return None

    def promote(self, now: int) -> None:
        """Who has waited long enough is ready."""
        while (first := self._first(self._held, Place.waits_until)) and first[0] <= now:
            place = self.places[first[2]]
            place.hold = Hold.NOTHING
            self.move(first[2], place, place.turn, ready=True)

    def first_of_queues(self, limit: int, due_until: int) -> list[WaitingTurn]:
        """The first so many of each queue; what is not urgent only where it is due until then."""
        waiting: list[WaitingTurn] = []
        for (urgent, source, rule), heap in list(self._queues.items()):

            def due(place: Place, queue: _Queue = (urgent, source, rule)) -> int | None:
                turn = place.turn
                if turn is None or (turn.urgent, turn.source, turn.rule) != queue:
                    return None
                return place.due_in_queue()

            waiting += self._take(heap, due, limit, None if urgent else due_until)
        return waiting

    def first_deadlines(self, limit: int, now: int) -> list[WaitingTurn]:
        """The first so many whose deadline is yet to come."""
        waiting: list[WaitingTurn] = []
        for heap in self._deadlines.values():
            while heap and heap[0][0] <= now:
                heapq.heappop(heap)
            waiting += self._take(heap, Place.deadline_in_queue, limit, None)
        return waiting

    def _take(
        self,
        heap: list[_Entry],
        time: Callable[[Place], int | None],
        limit: int,
        until: int | None,
    ) -> list[WaitingTurn]:
        """The first so many, which stay where they are."""
        entries: dict[Recipient, _Entry] = {}
        while len(entries) < limit and (first := self._first(heap, time)) is not None:
            if until is not None and first[0] > until:
                break
            entries.setdefault(first[2], heapq.heappop(heap))
        for entry in entries.values():
            heapq.heappush(heap, entry)
        return [
            WaitingTurn(recipient, turn)
            for recipient in entries
            if (turn := self.places[recipient].turn) is not None
        ]

    def next_ready_at(self, due_within: int) -> int | None:
        """When the first may be leased; None where nobody waits."""
        times = [
            0 if queue[0] else max(0, first[0] - due_within)
            for queue in self._queues
            if (first := self._first(self._queues[queue], Place.due_in_queue)) is not None
        ]
        waits = self._first(self._held, Place.waits_until)
        return min([*times, *([] if waits is None else [waits[0]])], default=None)
