"""Plans what one commit writes, in memory: duplicates, merges, and the books. No I/O.

A store loads what the submissions touch, lets the plan take each submission in order, and writes
what the plan then holds. Both stores share it, so they can't disagree about a merge.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pointsman.domain.desired_state import Desired
from pointsman.domain.frozen import record
from pointsman.domain.log_positions import Position
from pointsman.domain.records import (
    AttachedData,
    Change,
    DeadLetter,
    InputOutcome,
    Item,
    Receipt,
    Submission,
)
from pointsman.domain.targets import Recipient, Target, Value
from pointsman.store.commit_history import CommitHistory, unmoved_result
from pointsman.store.evidence import NOTHING, Gathered, add, is_complete, links, valued
from pointsman.store.history_records import MoveResult
from pointsman.store.merge import is_before_reset, merge
from pointsman.store.statement_conflicts import body_of, conflict_letter, sort_by_id
from pointsman.store.statement_records import Move, Replayed
from pointsman.store.turns import Turn, sooner, turn_of

#: `CommitHistory.note`
Note = Callable[
    [str, int, Change, Value | None, Value | None, Value | None, MoveResult],
    None,
]


@record
class NewStatement:
    """One statement to remember, in the `length` bytes of the commit's bodies from `start` on."""

    item: Item
    outcome: InputOutcome
    submission: Submission
    start: int
    length: int


@record
class NewDeadLetter:
    """One dead letter to remember; `in_statements` when it is a valid statement as well."""

    letter: DeadLetter
    submission: Submission
    body_hash: bytes
    in_statements: bool


@dataclass(slots=True)
class UnmatchedActivity:
    """How often an activity came that no rule takes, and one statement that says so."""

    inputs: int
    sample_id: str
    at: int


@dataclass(slots=True)
class Plan:
    """`known` maps statement ids to digests; `desired` is all state that is touched.

    `evidence` is all that was gathered so far under the (recipient, key) that are touched.
    """

    known: dict[str, int]
    desired: dict[tuple[Recipient, Target], Desired]
    #: whether a dead letter (source, origin, hash of its body) is here already
    is_dead: Callable[[str, str, bytes], bool]
    #: tokens of the newest claims of (group, topic, partition)
    claims: dict[tuple[str, str, int], int] = field(default_factory=dict)
    evidence: dict[tuple[Recipient, str], Gathered] = field(default_factory=dict)
    moved: dict[tuple[Recipient, Target], Desired] = field(default_factory=dict)
    grown: dict[tuple[Recipient, str], Gathered] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    size: int = 0
    statements: list[NewStatement] = field(default_factory=list)
    accepted: Counter[str] = field(default_factory=Counter)
    #: what moved, for whoever decides again
    moves: list[Move] = field(default_factory=list)
    queue: dict[Recipient, Turn] = field(default_factory=dict)
    positions: dict[tuple[str, str, int], Position] = field(default_factory=dict)
    dead: dict[tuple[str, str, bytes], NewDeadLetter] = field(default_factory=dict)
    unmatched: dict[str, UnmatchedActivity] = field(default_factory=dict)
    attachments: dict[str, AttachedData] = field(default_factory=dict)
    #: what is kept to explain it later; None where nothing asks for a change
    history: CommitHistory | None = None
    #: what is decided about again says again what it has said before, which is no news
    is_replay: bool = False

    def take(self, submission: Submission) -> Receipt:
        """Sort a submission's items into new, known and conflicting, and merge the new ones."""
        at = submission.position
        if at is not None and self.claims.get((at.group, at.topic, at.partition), 0) != at.token:
            return Receipt({}, fenced=True)
        fresh, conflicts = sort_by_id(submission, self.known)
        duplicates = len(submission.items) - len(fresh) - len(conflicts)
        names = tuple(item.statement_id for item in conflicts)
        if conflicts and submission.all_or_nothing:
            return Receipt({}, conflicts=names)
        if duplicates:
            self._note_duplicates(submission, {id(item) for item in (*fresh, *conflicts)})
        outcomes = self._take_new(submission, fresh) if fresh else {}
        letters = [*submission.dead, *(conflict_letter(submission, item) for item in conflicts)]
        dead = sum([self._add_dead(submission, one, in_statements=False) for one in letters])
        if dead:
            outcomes[InputOutcome.DEAD] = outcomes.get(InputOutcome.DEAD, 0) + dead
        if outcomes:
            self.accepted[submission.source] += sum(outcomes.values())
        if at is not None:
            self.positions[at.group, at.topic, at.partition] = at
        return Receipt(outcomes, duplicates, names)

    def _take_new(self, submission: Submission, fresh: Sequence[Item]) -> dict[InputOutcome, int]:
        """Merge and remember new statements; how many came to which outcome."""
        outcomes: dict[InputOutcome, int] = {}
        body = submission.body
        start = self._keep(body) if fresh[0].body is None else 0
        for item in fresh:
            decision = item.decision
            if decision.outcome is not InputOutcome.APPLIED:
                self.account(submission, item)
            outcome = self.merge(submission, item) if decision.changes else decision.outcome
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
            self.known[item.statement_id] = item.digest
            if item.body is not None:
                body = item.body
                start = self._keep(body)
            self.statements.append(NewStatement(item, outcome, submission, start, len(body)))
        if submission.attachments:
            self.attachments.update((data.sha2, data) for data in submission.attachments)
        return outcomes

    def _keep(self, body: bytes) -> int:
        """Where a body starts among those of this commit."""
        start = self.size
        self.bodies.append(body)
        self.size += len(body)
        return start

    def account(self, submission: Submission, item: Item) -> None:
        """Count one statement that asks for nothing."""
        decision = item.decision
        if decision.outcome is InputOutcome.DEAD:
            letter = DeadLetter(
                reason=decision.reason,
                origin=f"statement {item.statement_id}",
                body=body_of(submission, item),
                statement_id=item.statement_id,
            )
            self._add_dead(submission, letter, in_statements=True)
        elif decision.outcome is InputOutcome.UNMATCHED:
            self.count_unmatched(decision.activity, 1, item.statement_id, submission.received_at)

    def count_unmatched(self, activity: str, inputs: int, sample_id: str, at: int) -> None:
        """So many more inputs, or fewer, of an activity that no rule takes."""
        known = self.unmatched.get(activity)
        if known is None:
            self.unmatched[activity] = UnmatchedActivity(inputs, sample_id, at)
        else:
            known.inputs += inputs
            known.at = at

    def merge(self, submission: Submission, item: Item) -> InputOutcome:
        decision = item.decision
        if not decision.changes:
            return decision.outcome
        moved = False
        for change in decision.changes:
            if change.evidence is not None and self._gather(change):
                moved = True
        note = self._noted().note
        for change in decision.changes:
            if self._move(change, submission, note):
                moved = True
        return InputOutcome.APPLIED if moved else InputOutcome.SUPERSEDED

    def _gather(self, change: Change) -> bool:
        """Unite a change's evidence with what is known; whether there is more of it now."""
        current = self.desired.get((change.recipient, change.target))
        if current is not None and is_before_reset(current, change):
            return False
        more = False
        for link in links(change):
            key = (change.recipient, link.key)
            known = self.evidence.get(key, NOTHING)
            united = add(known, link, change)
            if united is not known:
                self.evidence[key] = self.grown[key] = united
                more = more or replace(united, at=known.at) != known
            if not is_complete(united, link):
                break
        return more

    def _move(self, change: Change, submission: Submission, note: Note) -> bool:
        """Move desired state as a change asks; whether its value moved."""
        recipient, target = key = change.recipient, change.target
        current = self.desired.get(key)
        before = None if current is None else current.value
        source, received_at = submission.source, submission.received_at
        if current is not None and is_before_reset(current, change):
            wanted = None if change.evidence is not None else change.value
            note(source, received_at, change, wanted, before, before, MoveResult.BEFORE_RESET)
            return False
        if change.evidence is not None:
            worth = valued(change, lambda key: self.evidence.get((recipient, key), NOTHING))
            if worth is None:
                note(source, received_at, change, None, before, before, MoveResult.INCOMPLETE)
                return False
            change = worth
        merged = merge(current, change, received_at, source)
        if merged is not current:
            self.desired[key] = self.moved[key] = merged
        if current is not None and merged.version == current.version:
            result = unmoved_result(current, merged, change)
            note(source, received_at, change, change.value, before, before, result)
            return False
        note(source, received_at, change, change.value, before, merged.value, MoveResult.MOVED)
        if self.is_replay:
            self.moves.append(Move(recipient, target, before, merged.value, merged.rule))
        if not merged.parked:
            turn = turn_of(merged)
            known = self.queue.get(recipient)
            self.queue[recipient] = turn if known is None else sooner(known, turn)
        return True

    def _note_duplicates(self, submission: Submission, others: set[int]) -> None:
        for item in submission.items:
            if id(item) not in others:
                for change in item.decision.changes:
                    self._noted().note_duplicate(submission, change)

    def _noted(self) -> CommitHistory:
        if self.history is None:
            self.history = CommitHistory(only_moves=self.is_replay)
        return self.history

    def _add_dead(self, submission: Submission, letter: DeadLetter, *, in_statements: bool) -> int:
        body_hash = hashlib.blake2b(letter.body, digest_size=16).digest()
        key = (submission.source, letter.origin, body_hash)
        if key in self.dead or self.is_dead(*key):
            return 0
        self.dead[key] = NewDeadLetter(letter, submission, body_hash, in_statements)
        return 1


@dataclass(slots=True)
class Replay:
    """Deciding again about statements that are known: `before` are their outcomes by id."""

    plan: Plan
    before: dict[str, InputOutcome]
    changed: dict[str, InputOutcome] = field(default_factory=dict)
    #: statements whose dead letters are to go
    no_longer_dead: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan.is_replay = True

    def take(self, submission: Submission) -> None:
        """One known statement, with its new decision; nothing where it has been forgotten."""
        (item,) = submission.items
        before = self.before.get(item.statement_id)
        if before is None:
            return
        after = self.plan.merge(submission, item)
        if after is InputOutcome.SUPERSEDED and before is InputOutcome.APPLIED:
            after = before  # it is its own effect that supersedes it
        if after is before:
            return
        self.changed[item.statement_id] = after
        if before is InputOutcome.UNMATCHED:
            activity, at = item.decision.activity, submission.received_at
            self.plan.count_unmatched(activity, -1, item.statement_id, at)
        if before is InputOutcome.DEAD:
            self.no_longer_dead.append(item.statement_id)
        self.plan.account(submission, item)

    def result(self) -> Replayed:
        pairs = Counter((self.before[name], after) for name, after in self.changed.items())
        return Replayed(dict(pairs), tuple(self.plan.moves))
