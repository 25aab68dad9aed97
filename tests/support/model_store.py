"""What a store must be, in the simplest way: lists of all that ever happened, and no merging.

Shares no code with the stores. A value is worked out anew, from all changes, whenever it is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import chain

from pointsman.domain.evidence import Evidence
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import (
    Change,
    Falls,
    InputOutcome,
    Item,
    Submission,
)
from pointsman.domain.targets import Recipient, Target, TargetKind, Value

_ORDER = ["not-started", "not-attended", "started", "not-completed", "completed", "attended"]
Key = tuple[Recipient, Target]
#: the fact that a recording has a length
LENGTH = "length"


@dataclass(slots=True)
class ModelStore:
    statements: dict[str, tuple[int, InputOutcome]] = field(default_factory=dict)
    changes: dict[Key, list[Change]] = field(default_factory=dict)
    #: how often each value has moved, and how often it had when the platform took it
    moves: Counter[Key] = field(default_factory=Counter)
    delivered: Counter[Key] = field(default_factory=Counter)
    parked: dict[Key, ParkCode] = field(default_factory=dict)
    letters: set[tuple[str, str, bytes]] = field(default_factory=set)
    lone_letters: int = 0
    unmatched: Counter[str] = field(default_factory=Counter)
    positions: dict[int, int] = field(default_factory=dict)
    tokens: Counter[int] = field(default_factory=Counter)

    def value(self, key: Key) -> Value | None:
        """Of all changes: the furthest, or the newest where a value may fall; None for none."""
        changes = [self.worth(one) for one in self.changes.get(key, ())]
        return _value([one for one in changes if one is not None])

    def worth(self, change: Change) -> Change | None:
        """A change with what all evidence that ever came makes of it. Spans are whole seconds."""
        evidence = change.evidence
        if evidence is None:
            return change
        count = len(self.facts(change.recipient, evidence.key) - {LENGTH})
        if count >= evidence.whole:
            is_topic = change.target.kind is TargetKind.TOPIC_PROGRESS
            return replace(change, value=100) if is_topic else change
        if not count or not evidence.partial:
            return None
        return replace(change, value=int(count * 100 // evidence.whole))

    def facts(self, recipient: Recipient, key: str) -> set[str | int]:
        """Every item and every second that ever came for a key."""
        return {
            fact
            for change in chain.from_iterable(self.changes.values())
            if change.evidence and (change.recipient, change.evidence.key) == (recipient, key)
            for fact in _facts(change.evidence)
        }

    def desired(self) -> list[Key]:
        return [key for key in self.changes if self.value(key) is not None]

    def dirty(self) -> dict[Key, Value]:
        """What is to be sent."""
        return {
            key: value
            for key in self.changes
            if (value := self.value(key)) is not None
            and key not in self.parked
            and self.is_dirty(key)
        }

    def is_dirty(self, key: Key) -> bool:
        return self.moves[key] > self.delivered[key]

    def ingest(self, one: Submission) -> tuple[Counter[InputOutcome], int, tuple[str, ...], bool]:
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
            outcomes[InputOutcome.DEAD] += self._bury(one, name)
        for letter in one.dead:
            outcomes[InputOutcome.DEAD] += self._letter((one.source, letter.origin, letter.body))
        if at is not None:
            self.positions[at.partition] = at.offset
        return +outcomes, duplicates, tuple(conflicts), False

    def _apply(self, item: Item) -> InputOutcome:
        outcome = item.decision.outcome
        if outcome is InputOutcome.UNMATCHED:
            self.unmatched[item.decision.activity] += 1
        if item.decision.changes:
            moved = False
            for change in item.decision.changes:
                moved = self._is_news(change) or moved
            keys = [(change.recipient, change.target) for change in item.decision.changes]
            before = [self.value(key) for key in keys]
            for key, change in zip(keys, item.decision.changes, strict=True):
                self.changes.setdefault(key, []).append(change)
            for key, value in zip(keys, before, strict=True):
                if self.value(key) != value:
                    moved = True
                    self.moves[key] += 1
            outcome = InputOutcome.APPLIED if moved else InputOutcome.SUPERSEDED
        self.statements[item.statement_id] = (item.digest, outcome)
        return outcome

    def _is_news(self, change: Change) -> bool:
        """Whether its evidence has something that none before had."""
        if change.evidence is None:
            return False
        return not _facts(change.evidence) <= self.facts(change.recipient, change.evidence.key)

    def _bury(self, one: Submission, name: str) -> int:
        where = f"{one.position.partition} {one.position.offset}" if one.position else ""
        return self._letter((one.source, f"{where} {name}", one.body))

    def _letter(self, key: tuple[str, str, bytes]) -> int:
        if key in self.letters:
            return 0
        self.letters.add(key)
        self.lone_letters += 1
        return 1

    def outcomes(self) -> Counter[InputOutcome]:
        found = Counter(outcome for _, outcome in self.statements.values())
        found[InputOutcome.DEAD] += self.lone_letters
        return found


def _facts(evidence: Evidence) -> set[str | int]:
    if evidence.spans is None:
        return set(evidence.items)
    return {LENGTH}.union(*(range(int(start), int(end)) for start, end in evidence.spans))


def _value(changes: list[Change]) -> Value | None:
    if not changes:
        return None
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


def _furthest(changes: Iterable[Change]) -> Value:
    return max((one.value for one in changes), key=_rank)


def _rank(value: Value) -> int:
    return value if isinstance(value, int) else _ORDER.index(value)
