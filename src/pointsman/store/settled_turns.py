"""What settling a turn writes, and where its recipient then waits in the queue. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pointsman.domain.frozen import record
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import Target
from pointsman.store.history_records import SentRequest
from pointsman.store.records import Lease, Settlement, hold_after
from pointsman.store.strip_nul import text


@record
class SettledTurn:
    """The arguments of one `DeliveryStore.settle`."""

    lease: Lease
    settlements: Sequence[Settlement]
    now: int
    ready_at: int
    requests: Sequence[SentRequest] = ()

    @property
    def learner(self) -> str:
        return str(self.lease.recipient)


class LeftToSend(NamedTuple):
    """One undelivered state of a recipient, in the order of the query `left_to_send`."""

    learner: str
    urgent: bool | int
    #: `Turn.due`
    due: int
    source: str
    rule: str
    retry_at: int
    deadline: int
    parked: str
    park_code: str


class QueueRow(NamedTuple):
    """What the queue knows of a recipient whose lease is given back; the columns of `learners`."""

    learner: str
    urgent: bool = False
    due: int | None = None
    source: str = ""
    rule: str = ""
    deadline: int | None = None
    ready: bool = False
    ready_at: int = 0
    hold: int = 0


def ours(turns: Sequence[SettledTurn], held: set[tuple[str, int]]) -> list[bool]:
    """Which of these have the lease that is held, of (learner, token); each lease ends once."""
    left = set(held)
    answers = []
    for turn in turns:
        lease = (turn.learner, turn.lease.token)
        answers.append(lease in left)
        left.discard(lease)
    return answers


def delivered_rows(turn: SettledTurn) -> list[tuple[Any, ...]]:
    """(learner, kind, key, version, value, now) of what the platform has now."""
    settled: dict[Target, int] = {
        settlement.target: settlement.version
        for settlement in turn.settlements
        if settlement.result == "delivered"
    }
    learner = turn.learner
    return [
        (
            learner,
            row.target.kind.value,
            row.target.key,
            settled[row.target],
            row.value,
            turn.now,
        )
        for row in turn.lease.desired
        if row.target in settled
    ]


def retried_rows(turn: SettledTurn) -> list[tuple[Any, ...]]:
    """(learner, kind, key, failures, retry_at) of what is sent again at a time of its own."""
    return [
        (
            turn.learner,
            settlement.target.kind.value,
            settlement.target.key,
            int(settlement.counts),
            settlement.retry_at,
        )
        for settlement in turn.settlements
        if settlement.result == "retry" or (settlement.result == "untried" and settlement.retry_at)
    ]


def parked_rows(turn: SettledTurn) -> list[tuple[Any, ...]]:
    """(learner, kind, key, reason, code) of what is parked."""
    return [
        (
            turn.learner,
            settlement.target.kind.value,
            settlement.target.key,
            text(settlement.reason),
            settlement.code,
        )
        for settlement in turn.settlements
        if settlement.result == "parked"
    ]


def freed(left: Sequence[LeftToSend], delivered: set[str]) -> set[str]:
    """Whose state waits for something else, of those who had something delivered."""
    return {row.learner for row in left if row.park_code == ParkCode.WAITS_FOR} & delivered


def queue_row(turn: SettledTurn, left: Sequence[LeftToSend]) -> QueueRow:
    """`left` is what is neither delivered nor parked.

    What is urgent does not wait for the pace, and what has a time of its own waits for that.
    """
    hold = hold_after(turn.settlements)
    if not left:
        return QueueRow(turn.learner, ready_at=turn.ready_at, hold=hold)
    first = min(left, key=lambda row: (not row.urgent, row.due))
    next_at = min(
        row.retry_at if row.retry_at > turn.now else 0 if row.urgent else turn.ready_at
        for row in left
    )
    return QueueRow(
        turn.learner,
        bool(first.urgent),
        first.due,
        first.source,
        first.rule,
        min((row.deadline for row in left if row.deadline), default=None),
        next_at == 0,
        next_at or turn.ready_at,
        hold,
    )
