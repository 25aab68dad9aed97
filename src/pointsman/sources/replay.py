"""Decides again about stored statements after the rules have changed, and about dead letters.

A statement that another one voids asks for nothing any longer (xAPI Part 2 section 2.3.2): what it
was applied to stays, and no rule takes it from then on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import InputRefused
from pointsman.domain.log_positions import Position
from pointsman.domain.records import Decision, InputOutcome, Submission, WhyNot
from pointsman.sources.batch import LogMessage
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.players.scorm.commits import dead_commit_statement, is_commit
from pointsman.store.base import DecidedStatement, Replayed, Store, StoredDeadLetter

#: statements decided about in one transaction, so that live traffic is not held up
_PAGE = 200
#: statements of one dead letter: whoever replays it has seen it
_LARGEST = 100_000
#: an input that is read again is none of a partition's
_NOWHERE = Position("", "", 0, 0)


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """What became of some statements; the last of them was stored at `reached`."""

    statements: int
    #: those that are valid no longer, and were left alone
    skipped: int
    reached: int
    result: Replayed


async def replay(
    store: Store, intake: Pipeline, clock: Clock, *, since: int, until: int, dry_run: bool
) -> AsyncIterator[ReplayPage]:
    """Decide again about all statements stored in between (microseconds)."""
    cursor = None
    while page := await store.statements_since(since=since, after=cursor, limit=_PAGE):
        cursor = page[-1].cursor
        rows = [row for row in page if since <= row.statement.stored_at < until]
        stored = [row.statement for row in rows]
        await intake.prepare(statement.body for statement in stored)
        void = await store.voided([statement.statement_id for statement in stored])
        readings = [intake.read_again(statement) for statement in stored]
        submissions = [
            _without_effect(submission) if row.statement.statement_id in void else submission
            for row, submission in zip(rows, readings, strict=True)
            if submission is not None and not _stays(row, void)
        ]
        result = await store.redecide(submissions, now=micros(clock.now()), dry_run=dry_run)
        skipped = readings.count(None)
        yield ReplayPage(len(stored), skipped, page[-1].statement.stored_at, result)


async def replay_letter(
    store: Store, intake: Pipeline, clock: Clock, letter: StoredDeadLetter, *, dry_run: bool = False
) -> str:
    """What became of one dead letter, or would, in words. `letter` holds its body."""
    if letter.in_statements:
        return await _statement(store, intake, clock, letter, dry_run=dry_run)
    try:
        submission = await _read(intake, letter)
    except InputRefused as error:
        return f"still dead: {error}"
    if submission.dead:
        return f"still dead: {submission.dead[0].reason}"
    if dry_run:
        return _would_be([item.decision.outcome for item in submission.items])
    whole = replace(submission, position=None, all_or_nothing=True)
    receipt = await store.replace_dead_letter(letter.id, whole)
    if receipt is None:
        return "gone meanwhile"
    if receipt.conflicts:
        return "still dead: its id is stored with different content"
    if not receipt.outcomes:
        return "known already; it counts no longer"
    return _words(receipt.outcomes)


async def _read(intake: Pipeline, letter: StoredDeadLetter) -> Submission:
    """As its source is read now. Raises `InputRefused` for what was no statement, and can't be."""
    statements: dict[str, Any] | list[dict[str, Any]]
    adapt = intake.adapters.get((letter.source, letter.origin))
    if is_commit(letter.origin):
        statements = await dead_commit_statement(
            letter.origin, letter.body, letter.received_at, intake.launch, intake.reader.ids
        )
    elif adapt is not None:
        statements = adapt(letter.body)
    else:
        await intake.prepare([letter.body])
        message = LogMessage(
            letter.source, letter.body, letter.origin, _NOWHERE, max_statements=_LARGEST
        )
        return intake.read_message(message)
    batch = intake.reader.statements(letter.source, statements)
    await intake.prepare([batch.body])
    return intake.submission(batch)


async def _statement(
    store: Store, intake: Pipeline, clock: Clock, letter: StoredDeadLetter, *, dry_run: bool
) -> str:
    stored = await store.statement(letter.statement_id or "")
    if stored is not None:
        await intake.prepare([stored.body])
    submission = intake.read_again(stored) if stored is not None else None
    if submission is None:
        return "still dead: its statement is not kept any longer, or is valid no longer"
    if stored is not None and await store.voided([stored.statement_id]):
        submission = _without_effect(submission)
    (item,) = submission.items
    if item.decision.outcome is InputOutcome.DEAD:
        return f"still dead: {item.decision.reason}"
    result = await store.redecide([submission], now=micros(clock.now()), dry_run=dry_run)
    outcomes = [after for _, after in result.outcomes]
    return _would_be(outcomes) if dry_run else _words(outcomes)


def _stays(row: DecidedStatement, void: set[str]) -> bool:
    """Whether it is void and was applied before: that is not taken back."""
    was_applied = row.outcome in {InputOutcome.APPLIED, InputOutcome.SUPERSEDED}
    return was_applied and row.statement.statement_id in void


def _without_effect(submission: Submission) -> Submission:
    """The same statement, which another one voids."""
    (item,) = submission.items
    decision = Decision(
        InputOutcome.NO_EFFECT,
        reason="another statement voids it",
        activity=item.decision.activity,
        why=WhyNot.NO_PROGRESS,
    )
    return replace(submission, items=(replace(item, decision=decision),))


def _would_be(outcomes: Sequence[InputOutcome]) -> str:
    return f"would be {_words(list(dict.fromkeys(outcomes)))}"


def _words(outcomes: Sequence[InputOutcome] | dict[InputOutcome, int]) -> str:
    return ", ".join(outcome.value.replace("_", " ") for outcome in outcomes) or "nothing new"
