"""What replicas share is shown once, and what each has is added up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pointsman.domain.targets import TargetKind
from tests.integration.test_mixin_alerts import KNOWN, well
from tests.support.dashboards import PanelQuery, queries
from tests.support.promtool import Case, Replica, evaluate, expect, tell

#: gauges of the store and of the quota, which every replica shows alike
SHARED = (
    "pointsman_desired",
    "pointsman_dead_letters",
    "pointsman_unmatched",
    "pointsman_oldest_dirty_seconds",
    "pointsman_platform_out",
    "pointsman_requests_left",
    "pointsman_points_left",
    "pointsman_requests_limit",
    "pointsman_points_limit",
    "pointsman_kafka_paused",
    "pointsman_store_up",
)


def story(replica: Replica, minute: int) -> None:
    well(replica, minute)
    replica.out = True
    replica.stored(
        dirty={TargetKind.TOPIC_PROGRESS: 5},
        parked={TargetKind.TOPIC_PROGRESS: 2, TargetKind.COURSE_STATUS: 1},
        dead_letters=4,
        unmatched=7,
        oldest_dirty=replica.now - 30_000_000,
    )
    replica.metrics.kafka_paused("log", paused=True)


def of(*metrics: str) -> list[PanelQuery]:
    return [one for one in queries() if any(name in one.expr for name in metrics)]


def scraped() -> list[dict[str, str]]:
    """Of a pointsman with one replica, and of one with three to which the same happens."""
    return [
        *tell(story, 10, KNOWN, replicas=1, namespace="one"),
        *tell(story, 10, KNOWN, replicas=3, namespace="three"),
    ]


def ratio(query: PanelQuery, times: int) -> dict[str, Any]:
    """Three replicas show `times` as much as one does."""
    three, one = (f"sum({query.asked(namespace=name)})" for name in ("three", "one"))
    return expect(f"abs({three} - {times} * {one}) < bool 1e-9", 9, ("{}", 1.0))


def test_three_replicas_show_what_they_share_once_and_what_each_has_three_times(
    tmp_path: Path,
) -> None:
    shared = [ratio(query, 1) for query in of(*SHARED)]
    of_each = [ratio(query, 3) for query in of("pointsman_inputs_total")]

    assert shared
    assert of_each
    assert not evaluate(tmp_path, Case(scraped(), [*shared, *of_each]))


def test_every_metric_that_replicas_share_has_a_panel() -> None:
    shown = " ".join(query.expr for query in queries())

    assert [name for name in SHARED if name not in shown] == []
