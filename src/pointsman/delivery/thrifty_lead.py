"""How long before it is due a thrifty sender sends progress: as long as the way there takes. Pure.

Where the quota is small, or the platform slow, several that fall due together wait for each other.
So the lead follows the longest that progress has waited of late, from when it could go to its
answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import is_urgent
from pointsman.store.turns import due_of_progress

#: seconds that are added to the longest wait
_MARGIN = 3.0
#: so many waits are remembered: one in a hundred may be longer
_REMEMBERED = 100


@dataclass(slots=True)
class ThriftyLead:
    """All times in seconds; `most` bounds the lead."""

    most: float
    _waits: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _longest: float = 0.0

    def waited(self, seconds: float) -> None:
        """Progress had its answer so long after it could go."""
        self._waits.append(seconds)
        self._longest = max(self._waits)

    @property
    def seconds(self) -> float:
        """How long before it is due progress goes now."""
        return max(_MARGIN, min(self._longest + _MARGIN, self.most))


def earliest_progress(rows: Sequence[Desired], due_within: int) -> int | None:
    """When the first of a learner's progress could go; None where something urgent takes it along.

    Microseconds; `due_within` is the lead.
    """
    earliest: int | None = None
    for row in rows:
        if row.parked:
            continue
        if is_urgent(row.target, row.value):
            return None
        at = max(due_of_progress(row) - due_within, row.since)
        if earliest is None or at < earliest:
            earliest = at
    return earliest
