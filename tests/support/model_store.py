"""What a store must be, in the simplest way: lists of all that ever happened, and no merging.

Shares no code with the stores. A value is worked out anew, from all changes, whenever it is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pointsman.model import Change, Falls, Item, Outcome, Submission, Target, Value

_ORDER = ["not-started", "not-attended", "started", "not-completed", "completed", "attended"]
Key = tuple[str, Target]


@dataclass(slots=True)
class ModelStore:
    statements: dict[str, tuple[int, Outcome]] = field(default_factory=dict)
    changes: dict[Key, list[Change]] = field(default_factory=dict)
    #: how often each value has moved, and how often it had when the platform took it
    moves: Counter[Key] = field(default_factory=Counter)
    delivered: Counter[Key] = field(default_factory=Counter)
    parked: dict[Key, str] = field(default_factory=dict)
    letters: set[tuple[str, str, bytes]] = field(default_factory=set)
    lone_letters: int = 0
    unmatched: Counter[str] = field(default_factory=Counter)
    positions: dict[int, int] = field(default_factory=dict)
    tokens: Counter[int] = field(default_factory=Counter)

    def value(self, key: Key) -> Value:
        """Of all changes: the furthest, or the newest where a value may fall."""
        changes = self.changes[key]
        if changes[0].falls is Falls.ALWAYS:
            return max(changes, key=lambda one: (one.occurred_at, one.statement_id)).value
        if changes[0].falls is Falls.NEW_ATTEMPT:
            attempts: dict[str, list[Change]] = {}
            for one in changes:
                attempts.setdefault(one.registration or "", []).append(one)
            _, newest = max(
                attempts.items(), key=lambda pair: (max(c.occurred_at for c in pair[1]), pair[0])
            )
            return _furthest(newest)
        return _furthest(changes)

    def dirty(self) -> dict[Key, Value]:
        """What is to be sent."""
        return {
            key: self.value(key)
            for key in self.changes
            if key not in self.parked and self.is_dirty(key)
        }

    def is_dirty(self, key: Key) -> bool:
        return self.moves[key] > self.delivered[key]

    def ingest(self, one: Submission) -> tuple[Counter[Outcome], int, tuple[str, ...], bool]:
        """(outcomes, duplicates, conflicts, fenced)."""
        at = one.position
        if at is not None and at.token != self.tokens[at.partition]:
            return Counter(), 0, (), True
        seen = {name: digest for name, (digest, _) in self.statements.items()}
        fresh: list[Item] = []
        conflicts: list[str] = []
        duplicates = 0
        for item in one.items:
            known = seen.setdefault(item.statement_id, item.digest)
            if known != item.digest:
                conflicts.append(item.statement_id)
            elif item.statement_id in self.statements or any(
                item.statement_id == one.statement_id for one in fresh
            ):
                duplicates += 1
            else:
                fresh.append(item)
        if conflicts and one.all_or_nothing:
            return Counter(), 0, tuple(conflicts), False
        outcomes = Counter(self._apply(item) for item in fresh)
        for name in conflicts:
            outcomes[Outcome.DEAD] += self._bury(one, name)
        for letter in one.dead:
            outcomes[Outcome.DEAD] += self._letter((one.source, letter.origin, letter.body))
        if at is not None:
            self.positions[at.partition] = at.offset
        return +outcomes, duplicates, tuple(conflicts), False

    def _apply(self, item: Item) -> Outcome:
        outcome = item.decision.outcome
        if outcome is Outcome.UNMATCHED:
            self.unmatched[item.decision.activity] += 1
        if item.decision.changes:
            moved = False
            for change in item.decision.changes:
                key = (change.learner, change.target)
                before = self.value(key) if key in self.changes else None
                self.changes.setdefault(key, []).append(change)
                if self.value(key) != before:
                    moved = True
                    self.moves[key] += 1
            outcome = Outcome.APPLIED if moved else Outcome.SUPERSEDED
        self.statements[item.statement_id] = (item.digest, outcome)
        return outcome

    def _bury(self, one: Submission, name: str) -> int:
        where = f"{one.position.partition} {one.position.offset}" if one.position else ""
        return self._letter((one.source, f"{where} {name}", one.body))

    def _letter(self, key: tuple[str, str, bytes]) -> int:
        if key in self.letters:
            return 0
        self.letters.add(key)
        self.lone_letters += 1
        return 1

    def outcomes(self) -> Counter[Outcome]:
        found = Counter(outcome for _, outcome in self.statements.values())
        found[Outcome.DEAD] += self.lone_letters
        return found


def _furthest(changes: Iterable[Change]) -> Value:
    return max((one.value for one in changes), key=_rank)


def _rank(value: Value) -> int:
    return value if isinstance(value, int) else _ORDER.index(value)
