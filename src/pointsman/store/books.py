"""Adds up the books from a store's counts, and finds contradictions in them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pointsman.domain.records import InputOutcome
from pointsman.domain.targets import TargetKind
from pointsman.store.records import Backlog, Books

#: tables whose rows `db stats` counts
COUNTED_TABLES = (
    *("statements", "blocks", "desired", "learners", "dead_letters", "unmatched"),
    *("positions", "tokens", "statement_keys", "attachments", "documents", "evidence"),
    *("moves", "turns"),
    "operator_actions",
)

#: what `forgotten` calls dead letters that were dropped: those that were no statements, and others
LETTER, STATEMENT_LETTER = "letter", "statement letter"
#: what it calls desired state that was dropped
STATE = "state"


@dataclass(frozen=True, slots=True)
class BookCounts:
    """What a store counts for its books, all at the same moment."""

    accepted: int
    #: statements by outcome
    outcomes: Mapping[str, int]
    #: what was pruned or dropped, and counts still: outcomes, `LETTER`, `STATEMENT_LETTER`, `STATE`
    forgotten: Mapping[str, int]
    #: dead letters that were no statements, and those that are statements as well
    letters: int
    statement_letters: int
    #: inputs of activities that no rule takes
    unmatched: int
    desired: int
    delivered: int
    dirty: int
    parked: int
    #: desired states that are delivered in a version that never was
    ahead: int
    bodies_missing: int
    #: recipients with dirty state that are not queued
    unqueued: int


def make_books(counts: BookCounts) -> Books:
    """Both sums, each side counted from other rows than the other."""
    forgotten = counts.forgotten
    outcomes = {
        outcome: counts.outcomes.get(outcome.value, 0) + forgotten.get(outcome.value, 0)
        for outcome in InputOutcome
    }
    problems = _contradictions(counts, outcomes)
    outcomes[InputOutcome.DEAD] += counts.letters + forgotten.get(LETTER, 0)
    return Books(
        counts.accepted,
        outcomes,
        counts.desired + forgotten.get(STATE, 0),
        counts.delivered,
        counts.dirty,
        counts.parked,
        forgotten.get(STATE, 0),
        problems,
    )


def make_backlog(
    undelivered: Iterable[tuple[str, bool, int, int]], *, dead_letters: int, unmatched: int
) -> Backlog:
    """`undelivered` are (kind, whether it is parked, how many, the oldest arrival)."""
    dirty = dict.fromkeys(TargetKind, 0)
    parked = dict.fromkeys(TargetKind, 0)
    oldest: int | None = None
    for kind, is_parked, count, since in undelivered:
        if is_parked:
            parked[TargetKind(kind)] = count
        else:
            dirty[TargetKind(kind)] = count
            oldest = since if oldest is None else min(oldest, since)
    return Backlog(dirty, parked, dead_letters, unmatched, oldest)


def _contradictions(counts: BookCounts, outcomes: Mapping[InputOutcome, int]) -> tuple[str, ...]:
    """What can't be true together, in words. `outcomes` are those of statements alone."""
    problems = []
    statement_letters = counts.statement_letters + counts.forgotten.get(STATEMENT_LETTER, 0)
    if statement_letters != outcomes[InputOutcome.DEAD]:
        problems.append(
            f"{outcomes[InputOutcome.DEAD]} statements are dead, "
            f"but {statement_letters} dead letters speak of statements"
        )
    if counts.unmatched != outcomes[InputOutcome.UNMATCHED]:
        problems.append(
            f"{outcomes[InputOutcome.UNMATCHED]} statements are unmatched, "
            f"but the activities' counts add up to {counts.unmatched}"
        )
    if counts.ahead:
        problems.append(f"{counts.ahead} desired states are delivered in a version that never was")
    if counts.bodies_missing:
        problems.append(f"{counts.bodies_missing} statements have lost their body")
    if counts.unqueued:
        problems.append(
            f"{counts.unqueued} learners have dirty state and are not queued for delivery"
        )
    return tuple(problems)
