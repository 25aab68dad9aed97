"""Whose turn it is of several that want more than there is: start-time fair queueing. Pure.

Each name has a tag, which moves on by 1 / weight with each turn; the smallest tag is next. Whoever
comes back after a while starts at the tag that was served last: nothing is saved up, and whoever
had nothing to send does not wait for those who always have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

#: names that are remembered
_MOST = 1_000


@dataclass(slots=True)
class FairShare:
    """`weights` are relative; a name without one has 1."""

    weights: Mapping[str, float]
    _now: float = 0.0
    _tags: dict[str, float] = field(default_factory=dict)

    def next(self, waiting: Collection[str]) -> str:
        """Whose turn it is of these, and count it; at equal tags the first of them."""
        name = min(waiting, key=self._tag)
        self._now = self._tag(name)
        self._tags[name] = self._now + 1 / self.weights.get(name, 1.0)
        if len(self._tags) > _MOST:
            self._tags = {known: tag for known, tag in self._tags.items() if tag > self._now}
        return name

    def _tag(self, name: str) -> float:
        return max(self._tags.get(name, 0.0), self._now)
