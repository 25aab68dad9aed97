"""How long a state took to the platform, and a completion from the moment it was one."""

from __future__ import annotations

import pytest

from pointsman.delivery.delivery_record import DeliveryLatency, latency
from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import Recipient, Target, TargetKind, Value


@pytest.mark.parametrize(
    ("kind", "value", "completed"),
    [
        (TargetKind.TOPIC_PROGRESS, 100, 2.0),
        (TargetKind.TOPIC_PROGRESS, 99, None),
        (TargetKind.COURSE_STATUS, "completed", 2.0),
        (TargetKind.COURSE_STATUS, "started", None),
        (TargetKind.MEETING_ATTENDANCE, "attended", 2.0),
        (TargetKind.LEARNING_PATH_ACCESS, "started", None),
    ],
)
def test_a_completion_counts_from_the_change_that_completed_it(
    kind: TargetKind, value: Value, completed: float | None
) -> None:
    first, changed, now = 10_000_000, 68_000_000, 70_000_000
    target = Target(kind, "key")
    ana = Recipient.learner("ana")
    row = Desired(ana, target, value, 2, 0, "statement", "rule", since=first, changed_at=changed)

    assert latency(row, now) == DeliveryLatency(kind, 60.0, completed, "statement")
