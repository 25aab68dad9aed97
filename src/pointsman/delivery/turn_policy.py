"""Who is sent for next: docs/scheduling.md as code. Pure.

What is urgent (completions, every status) goes before progress; but of progress that is long
overdue one turn in a few goes first, so that nothing starves. Within each class, what would come
too late for its deadline goes first; then sources take turns by weight, and the rules of a source;
within one of those, the earliest due.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pointsman.delivery.fair_share import FairShare
from pointsman.store.turns import DEADLINE_MARGIN, WaitingTurn

#: microseconds that progress may be overdue while urgent state goes before it
OVERDUE = 600_000_000
#: then it gets one turn of so many
OVERDUE_EVERY = 8


@dataclass(slots=True)
class _Class:
    """The urgent, or progress: fairness between sources, and between the rules of each."""

    sources: FairShare
    rule_weights: Mapping[str, float]
    _rules: dict[str, FairShare] = field(default_factory=dict)

    def ordered(self, turns: Sequence[WaitingTurn], limit: int, now: int) -> list[WaitingTurn]:
        """The first so many."""
        chosen = _late(turns, now)[:limit]
        queues: defaultdict[str, defaultdict[str, deque[WaitingTurn]]] = defaultdict(
            lambda: defaultdict(deque)
        )
        taken = set(chosen)
        for one in sorted(turns, key=lambda one: one.turn.due):
            if one not in taken:
                queues[one.turn.source][one.turn.rule].append(one)
        while queues and len(chosen) < limit:
            source = self.sources.next(queues)
            rules = queues[source]
            shares = self._rules.setdefault(source, FairShare(self.rule_weights))
            rule = shares.next(rules)
            chosen.append(rules[rule].popleft())
            if not rules[rule]:
                del rules[rule]
            if not rules:
                del queues[source]
        return chosen


class TurnPolicy:
    """Chooses among those that could be leased; remembers whose turn it was."""

    def __init__(
        self, source_weights: Mapping[str, float], rule_weights: Mapping[str, float]
    ) -> None:
        self._urgent = _Class(FairShare(source_weights), rule_weights)
        self._progress = _Class(FairShare(source_weights), rule_weights)
        #: turns in a row that went to the urgent while progress was long overdue
        self._passed_over = 0

    def choose(self, waiting: Sequence[WaitingTurn], *, limit: int, now: int) -> list[WaitingTurn]:
        """At most `limit` of these, in the order of sending; `now` in microseconds."""
        urgent = [one for one in waiting if one.turn.urgent]
        progress = [one for one in waiting if not one.turn.urgent]
        overdue = [one for one in progress if now - one.turn.due > OVERDUE]
        chosen: list[WaitingTurn] = []
        if overdue and urgent:
            self._passed_over += min(limit, len(urgent))
            if self._passed_over >= OVERDUE_EVERY:
                self._passed_over = 0
                chosen = self._progress.ordered(overdue, 1, now)
        else:
            self._passed_over = 0
        chosen += self._urgent.ordered(urgent, limit - len(chosen), now)
        if len(chosen) < limit:
            rest = [one for one in progress if one not in chosen]
            chosen += self._progress.ordered(rest, limit - len(chosen), now)
        return chosen


def _late(turns: Sequence[WaitingTurn], now: int) -> list[WaitingTurn]:
    """What would come too late if it waited as long as the first in line has; the nearest first."""
    if not any(one.turn.deadline for one in turns):
        return []
    wait = max(0, now - min(one.turn.due for one in turns))
    risky = [one for one in turns if now < one.turn.deadline <= now + wait + DEADLINE_MARGIN]
    return sorted(risky, key=lambda one: one.turn.deadline)
