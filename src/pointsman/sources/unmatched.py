"""Finds the statements of one learner that no rule took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pointsman.domain.records import Actor, InputOutcome
from pointsman.sources.stored_statement import parse_stored
from pointsman.statements import actor_of
from pointsman.statements.activities import Activity
from pointsman.store.base import DecidedStatement, Store, UnmatchedSummary

_PAGE = 500


async def unmatched_of(
    store: Store, resolve: Callable[[Actor], str], learner: str
) -> list[UnmatchedSummary]:
    """By activity, the most frequent first; `resolve` names the learner that an actor is.

    Looks through all statements that are unmatched. Raises `StoreUnavailable`.
    """
    wanted = learner.casefold()
    found: dict[str, UnmatchedSummary] = {}
    cursor: tuple[int, str] | None = None
    while page := await store.statements_since(
        since=0, after=cursor, limit=_PAGE, outcome=InputOutcome.UNMATCHED
    ):
        cursor = page[-1].cursor
        for decided in page:
            activity = _activity_of(decided, resolve, wanted)
            if activity is not None:
                found[activity] = _with(found.get(activity), activity, decided)
    return sorted(found.values(), key=lambda summary: -summary.inputs)


def _activity_of(
    decided: DecidedStatement, resolve: Callable[[Actor], str], wanted: str
) -> str | None:
    statement = parse_stored(decided.statement)
    if statement is None or not isinstance(statement.object, Activity):
        return None
    actor = actor_of(statement.actor)
    if actor is None or resolve(actor).casefold() != wanted:
        return None
    return statement.object.id


def _with(
    summary: UnmatchedSummary | None, activity: str, decided: DecidedStatement
) -> UnmatchedSummary:
    stored = decided.statement
    if summary is None:
        at = stored.received_at
        return UnmatchedSummary(activity, 1, stored.statement_id, at, at)
    return replace(
        summary,
        inputs=summary.inputs + 1,
        first_at=min(summary.first_at, stored.received_at),
        last_at=max(summary.last_at, stored.received_at),
    )
