"""When a recipient's turn comes: what the queue is sorted by. Pure.

A recipient has one turn, of the most urgent of its desired state; all that is dirty goes with it.
The stores' queries say the same as `turn_of`; their fragment `{turn_due}` is `Turn.due`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import reduce

from pointsman.domain.desired_state import Desired
from pointsman.domain.frozen import record
from pointsman.domain.targets import Recipient, is_urgent
from pointsman.store.strip_nul import text

#: microseconds before a deadline by which progress is due
DEADLINE_MARGIN = 60_000_000
#: microseconds; no rule lets progress wait for longer
LONGEST_FRESHNESS = 3_600_000_000


@record
class Turn:
    """Why a recipient waits, and since or until when. Times in microseconds since the epoch."""

    #: a completion or a status, which goes at once; else it is progress
    urgent: bool
    #: what its queue is sorted by: of the urgent, when it arrived, whatever the
    #: learner's progress waited before; of progress, until when it is as
    #: fresh as its rule asks
    due: int
    #: whose queue it waits in: the input's source, and the rule that took it
    source: str
    rule: str
    #: when the learner's work is due, 0 for never
    deadline: int = 0

    @property
    def order(self) -> tuple[bool, int]:
        """The most urgent is the smallest."""
        return not self.urgent, self.due


@record
class WaitingTurn:
    """A recipient that could be leased now."""

    recipient: Recipient
    turn: Turn


#: of those that could be leased, those that are, in order
Choose = Callable[[Sequence[WaitingTurn]], Sequence[WaitingTurn]]


def turn_of(record: Desired) -> Turn:
    """The turn that one dirty state asks for."""
    urgent = is_urgent(record.target, record.value)
    return Turn(
        urgent,
        record.changed_at if urgent else due_of_progress(record),
        text(record.source),
        text(record.rule),
        record.deadline,
    )


def due_of_progress(record: Desired) -> int:
    """`Turn.due` of what is not urgent."""
    first = record.delivered_version == 0
    due = record.since + (record.fresh_within * 5 // 6 if first else record.fresh_within)
    if not record.deadline:
        return due
    return min(due, max(record.since, record.deadline - DEADLINE_MARGIN))


#: `Turn.due` of a row of `desired` that is no urgent one, as SQL; {least}, {greatest} are functions
_DUE = (
    "(CASE WHEN urgent THEN changed_at ELSE {least}(since + CASE WHEN delivered_version = 0 "
    "THEN fresh_within * 5 / 6 ELSE fresh_within END, CASE WHEN deadline = 0 THEN "
    "9223372036854775807 ELSE {greatest}(since, deadline - %d) END) END)"
)


def due_as_sql(*, least: str, greatest: str) -> str:
    """`Turn.due` of a row of `desired`, with the names that a database has for two functions."""
    return (_DUE % DEADLINE_MARGIN).format(least=least, greatest=greatest)


def united(turns: Iterable[Turn]) -> Turn | None:
    """The most urgent, with the earliest deadline of all; None of none."""
    return reduce(sooner, turns) if (turns := list(turns)) else None


def sooner(turn: Turn, other: Turn) -> Turn:
    """The more urgent of two, with the earlier deadline of both."""
    # as `order` says, which is built for whole queues
    if turn.urgent == other.urgent:
        first = other if other.due < turn.due else turn
    else:
        first = other if other.urgent else turn
    deadline = min(turn.deadline, other.deadline) or turn.deadline or other.deadline
    return first if deadline == first.deadline else replace(first, deadline=deadline)


def most_urgent_first(limit: int) -> Choose:
    """The first so many of all, whosever they are."""
    return lambda waiting: sorted(waiting, key=lambda one: one.turn.order)[:limit]
