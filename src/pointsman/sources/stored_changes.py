"""Reads what is stored again, as the submissions that it was: for playing it in a simulation."""

from __future__ import annotations

from dataclasses import replace

from pointsman.domain.records import Submission
from pointsman.sources.pipeline import Pipeline
from pointsman.store.base import Store

_PAGE = 500


async def stored_submissions(store: Store, intake: Pipeline, *, since: int) -> list[Submission]:
    """One for each statement stored since (microseconds) that a rule of now takes."""
    submissions: list[Submission] = []
    cursor = None
    while page := await store.statements_since(since=since, after=cursor, limit=_PAGE):
        cursor = page[-1].cursor
        await intake.prepare(row.statement.body for row in page)
        for row in page:
            submission = intake.read_again(row.statement)
            if submission is not None and any(one.decision.changes for one in submission.items):
                arrived_at = row.statement.received_at
                submissions.append(replace(submission, body=b"", received_at=arrived_at))
    return submissions
