"""Submissions made by hand, for tests of the store and of the delivery."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence

from pointsman.domain.evidence import Evidence
from pointsman.domain.log_positions import Position
from pointsman.domain.records import (
    FRESH_WITHIN,
    Change,
    Decision,
    Falls,
    InputOutcome,
    Item,
    Submission,
)
from pointsman.domain.targets import ReadBackPlace, Recipient, Target, TargetKind, Value

_count = itertools.count(1)


def topic(key: str) -> Target:
    return Target(TargetKind.TOPIC_PROGRESS, key)


def course(slug: str) -> Target:
    return Target(TargetKind.COURSE_STATUS, f"slug:{slug}")


def change(
    recipient: str | Recipient,
    target: Target,
    value: Value,
    *,
    at: int = 0,
    statement_id: str | None = None,
    registration: str | None = None,
    falls: Falls = Falls.NEVER,
    after: tuple[Target, ...] = (),
    evidence: Evidence | None = None,
    read_back: ReadBackPlace | None = None,
    fresh_within: int = FRESH_WITHIN,
    deadline: int = 0,
) -> Change:
    """Text is a learner's name."""
    return Change(
        recipient=Recipient.learner(recipient) if isinstance(recipient, str) else recipient,
        target=target,
        value=value,
        occurred_at=at,
        statement_id=statement_id or new_id(),
        rule="a rule",
        registration=registration,
        falls=falls,
        after=after,
        read_back=read_back,
        evidence=evidence,
        fresh_within=fresh_within,
        deadline=deadline,
    )


def new_id() -> str:
    return str(uuid.UUID(int=next(_count)))


def item(
    *changes: Change,
    statement_id: str | None = None,
    digest: int = 1,
    index: int | None = None,
    decision: Decision | None = None,
) -> Item:
    """A statement that asks for `changes`."""
    chosen = statement_id or (changes[0].statement_id if changes else new_id())
    return Item(
        chosen,
        digest,
        index,
        decision or Decision(InputOutcome.APPLIED, rule="a rule", changes=changes),
    )


def submission(
    *items: Item,
    at: int = 0,
    source: str = "test",
    body: bytes = b"{}",
    position: Position | None = None,
    all_or_nothing: bool = True,
) -> Submission:
    return Submission(source, body, at, items, (), position, all_or_nothing)


def wants(*changes: Change, at: int = 0) -> Submission:
    """One statement that asks for all of `changes`."""
    return submission(item(*changes), at=at)


def each(changes: Sequence[Change], at: int = 0) -> list[Submission]:
    """A statement for each change."""
    return [wants(one, at=at) for one in changes]
