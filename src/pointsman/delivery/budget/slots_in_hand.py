"""The slots that a replica was given and has not used. Pure: times come in as arguments."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pointsman.delivery.budget.shared_window import FRESH, SlotGrant

#: a slot is used within so many seconds after its time has come, or given back: what was said since
#: is not known here
_GOOD_FOR = 1.0
#: and if it took longer than that to hear of it, nothing is known of how long ago it was given
_LONGEST_WAY = 10.0


@dataclass(slots=True)
class Slot:
    """Of one request. Seconds on the monotonic clock."""

    start: float
    until: float
    must_confirm: bool


@dataclass(slots=True)
class SlotsInHand:
    """In the order of their time; any of them may use the points of all."""

    slots: deque[Slot] = field(default_factory=deque)
    points: int = 0

    @property
    def waits(self) -> bool:
        """Whether the first is in the line of all replicas."""
        return bool(self.slots) and self.slots[0].must_confirm

    def add(self, asked_at: float, now: float, grant: SlotGrant) -> None:
        """What was given at some time between those two.

        What must not be early counts from the later one, what must not be late from the earlier.
        """
        for starts_in in grant.starts:
            until = min(now + _GOOD_FOR, asked_at + _LONGEST_WAY) + starts_in
            self.slots.append(Slot(now + starts_in, until, starts_in > FRESH))
        self.points += grant.points

    def first(self, now: float, points: int) -> Slot | None:
        """The next one that may still be used, if there are so many points."""
        self.drop_expired(now)
        return self.slots[0] if self.slots and self.points >= points else None

    def ready_at(self, moment: float) -> int:
        """How many have begun by then."""
        return sum(1 for slot in self.slots if slot.start <= moment)

    def confirmed(self, asked_at: float, now: float, wait: float) -> None:
        """The first may be used in so many seconds from a time between those two."""
        until = min(now + _GOOD_FOR, asked_at + _LONGEST_WAY) + wait
        self.slots[0] = Slot(now + wait, until, wait > 0)

    def use(self, points: int) -> None:
        """The first one, for a request of so many points."""
        self.slots.popleft()
        self.points -= points

    def drop_expired(self, now: float) -> None:
        while self.slots and self.slots[0].until < now:
            self.slots.popleft()
        if not self.slots:
            self.points = 0

    def clear(self) -> None:
        """Give back all."""
        self.slots.clear()
        self.points = 0
