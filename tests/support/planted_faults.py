"""A pytest plugin that plants the fault POINTSMAN_PLANT in the stores; the suites must notice."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from pointsman.domain.desired_state import Desired
from pointsman.domain.evidence import Evidence
from pointsman.domain.records import Change, Item, Receipt, Submission
from pointsman.store import commit_plan as planning
from pointsman.store import merge as merging
from pointsman.store.commit_plan import Plan
from pointsman.store.evidence import Gathered, gathered
from pointsman.store.postgres.rows import SQL as POSTGRES
from pointsman.store.settled_turns import SettledTurn
from pointsman.store.sqlite import settling


def _merge_order() -> None:
    """The last to arrive wins."""

    def merge(current: Desired | None, change: Change, arrived_at: int, source: str) -> Desired:
        if current is None:
            return merging.merge(current, change, arrived_at, source)
        return merging._move(current, change, change.value, change.occurred_at, arrived_at, source)

    setattr(planning, "merge", merge)  # noqa: B010 - mypy knows what it is


def _dedup() -> None:
    """Every statement is new."""

    def sort(submission: Submission, _known: object) -> tuple[list[Item], list[Item]]:
        return list(submission.items), []

    setattr(planning, "sort_by_id", sort)  # noqa: B010


def _lease_fencing() -> None:
    """Any lease of a learner is as good as the newest."""

    def ours(turns: Sequence[SettledTurn], held: set[tuple[str, int]]) -> list[bool]:
        leased = {learner for learner, _ in held}
        return [turn.learner in leased for turn in turns]

    setattr(settling, "ours", ours)  # noqa: B010
    POSTGRES["holds_lease"] = (
        "SELECT 1 FROM learners WHERE learner = $1 AND $2::bigint >= 0 AND hold = 3 FOR UPDATE"
    )


def _offset_fencing() -> None:
    """A member that had a partition once may still store it."""
    take = Plan.take

    def anybody(self: Plan, submission: Submission) -> Receipt:
        if (at := submission.position) is not None:
            self.claims[at.group, at.topic, at.partition] = at.token
        return take(self, submission)

    setattr(Plan, "take", anybody)  # noqa: B010


def _evidence() -> None:
    """Of evidence that comes together only the last counts."""

    def add(_known: Gathered, link: Evidence, _change: Change) -> Gathered:
        return gathered(link)

    setattr(planning, "add", add)  # noqa: B010 - mypy knows what it is


FAULTS: dict[str, Callable[[], Any]] = {
    "merge order": _merge_order,
    "dedup": _dedup,
    "lease fencing": _lease_fencing,
    "offset fencing": _offset_fencing,
    "evidence": _evidence,
}


def pytest_configure() -> None:
    FAULTS[os.environ["POINTSMAN_PLANT"]]()
