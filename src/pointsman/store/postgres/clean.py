"""PostgreSQL keeps no NUL in a text, and JSON has a way to write one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pointsman.evidence import Evidence
from pointsman.model import Change, Item, Submission, Target
from pointsman.store.postgres.rows import text

#: the only way to write NUL in JSON
_NUL = rb"\u0000"


def clean(submissions: Sequence[Submission]) -> list[Submission]:
    """The same, with a replacement character for each NUL in what is told of a statement.

    Bodies stay as they came.
    """
    return [_cleaned(one) if _NUL in one.body else one for one in submissions]


def _cleaned(submission: Submission) -> Submission:
    return replace(submission, items=tuple(_item(one) for one in submission.items))


def _item(item: Item) -> Item:
    decision = item.decision
    changes = tuple(_change(one) for one in decision.changes)
    return replace(
        item, decision=replace(decision, changes=changes, activity=text(decision.activity))
    )


def _change(change: Change) -> Change:
    return replace(
        change,
        learner=text(change.learner),
        target=_target(change.target),
        after=tuple(_target(one) for one in change.after),
        read_back=text(change.read_back),
        evidence=None if change.evidence is None else _evidence(change.evidence),
    )


def _evidence(link: Evidence) -> Evidence:
    return replace(
        link,
        key=text(link.key),
        items=frozenset(map(text, link.items)),
        then=None if link.then is None else _evidence(link.then),
    )


def _target(target: Target) -> Target:
    return Target(target.kind, text(target.key))
