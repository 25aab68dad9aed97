"""Deciding anew about what is kept, after the rules have changed; and about what was dead."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import orjson

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import InputRefused
from pointsman.domain.records import InputOutcome, Position, Submission
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.players.scorm.commits import is_commit, told_again
from pointsman.store.base import Replayed, Store, StoredDeadLetter

#: statements decided about in one transaction, so that live traffic is not held up
_PAGE = 200
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
    """Decide anew about all statements stored in between (microseconds)."""
    cursor = None
    while page := await store.statements_since(since=since, after=cursor, limit=_PAGE):
        cursor = page[-1].cursor
        kept = [one.statement for one in page if since <= one.statement.stored_at < until]
        await intake.prepare(one.body for one in kept)
        again = [one for one in map(intake.read_again, kept) if one is not None]
        result = await store.redecide(again, now=micros(clock.now()), dry_run=dry_run)
        yield ReplayPage(len(kept), len(kept) - len(again), page[-1].statement.stored_at, result)


async def replay_letter(
    store: Store, intake: Pipeline, clock: Clock, letter: StoredDeadLetter
) -> str:
    """What became of one dead letter, in words. `letter` holds its body."""
    if letter.in_statements:
        return await _statement(store, intake, clock, letter)
    try:
        read = await _read(intake, letter)
    except InputRefused as error:
        return f"still dead: {error}"
    if read.dead:
        return f"still dead: {read.dead[0].reason}"
    receipt = await store.replace_dead_letter(
        letter.id, replace(read, position=None, all_or_nothing=True)
    )
    if receipt is None:
        return "gone meanwhile"
    if receipt.conflicts:
        return "still dead: its id is stored with different content"
    if not receipt.outcomes:
        return "known already; it counts no longer"
    return _words(receipt.outcomes)


async def _read(intake: Pipeline, letter: StoredDeadLetter) -> Submission:
    """As its source is read now. Raises `InputRefused` for what was no statement, and can't be."""
    adapt = intake.adapters.get((letter.source, letter.origin))
    body = letter.body
    if is_commit(letter.origin):
        body = await told_again(letter.origin, body, letter.received_at, intake.launch)
    elif adapt is not None:
        body = orjson.dumps(adapt(body))
    await intake.prepare([body])
    return intake.read_message(letter.source, body, position=_NOWHERE, origin=letter.origin)


async def _statement(store: Store, intake: Pipeline, clock: Clock, letter: StoredDeadLetter) -> str:
    kept = await store.statement(letter.statement_id or "")
    if kept is not None:
        await intake.prepare([kept.body])
    again = intake.read_again(kept) if kept is not None else None
    if again is None:
        return "still dead: its statement is not kept any longer, or is valid no longer"
    (item,) = again.items
    if item.decision.outcome is InputOutcome.DEAD:
        return f"still dead: {item.decision.reason}"
    result = await store.redecide([again], now=micros(clock.now()), dry_run=False)
    return _words([after for _, after in result.outcomes])


def _words(outcomes: Sequence[InputOutcome] | dict[InputOutcome, int]) -> str:
    return ", ".join(one.value.replace("_", " ") for one in outcomes) or "nothing new"
