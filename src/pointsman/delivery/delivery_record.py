"""What became of one lease, for the log line and the metrics. Frozen."""

from __future__ import annotations

from pointsman.delivery.turn_outcome import DeliveryOutcome
from pointsman.domain.desired_state import Desired
from pointsman.domain.frozen import record
from pointsman.domain.targets import TargetKind, is_completion

#: the answer of a turn in which nothing was sent
NOT_SENT = "not_sent"


@record
class DeliveryLatency:
    """One desired state that the platform said yes to.

    `seconds` count from the arrival of the first change that was not delivered, and
    `completion_seconds` from the one that completed it; None when it completes nothing.
    """

    kind: TargetKind
    seconds: float
    completion_seconds: float | None
    #: the statement that asked for it
    statement_id: str


@record
class DeliveryRecord:
    """One lease, settled: for the log line and the metrics."""

    outcome: DeliveryOutcome
    latencies: tuple[DeliveryLatency, ...]


def latency(row: Desired, now: int) -> DeliveryLatency:
    """How long a state took that the platform has now."""
    completed = (now - row.changed_at) / 1e6 if is_completion(row.target, row.value) else None
    return DeliveryLatency(row.target.kind, (now - row.since) / 1e6, completed, row.statement_id)
