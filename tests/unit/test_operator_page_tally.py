"""What the running process counts for the operator's page."""

from __future__ import annotations

from pointsman.delivery.delivery_record import DeliveryLatency, DeliveryRecord
from pointsman.delivery.turn_outcome import DeliveryOutcome
from pointsman.domain.records import InputOutcome, Receipt
from pointsman.domain.target_kinds import TargetKind
from pointsman.operator_page.tally import Tally
from tests.support.change_factory import change, topic, wants
from tests.support.manual_clock import ManualClock


def turn(learner: str, points: int, *seconds: float, completes: bool = False) -> DeliveryRecord:
    latencies = tuple(
        DeliveryLatency(TargetKind.TOPIC_PROGRESS, one, one if completes else None, "s")
        for one in seconds
    )
    return DeliveryRecord(DeliveryOutcome(learner, points=points, requests=1), latencies)


def test_inputs_are_counted_by_source_and_by_rule() -> None:
    clock = ManualClock()
    tally = Tally(clock)
    submission = wants(change("ana", topic("t"), 40))
    receipt = Receipt({InputOutcome.APPLIED: 1}, fenced=False)
    tally.received([submission], [receipt])
    clock.advance(30)
    tally.received([submission], [receipt])
    hits = tally.sources[submission.source]
    assert (hits.count, hits.last) == (2, clock.now())
    assert tally.inputs_of_the_minute() == 2
    clock.advance(31)
    assert tally.inputs_of_the_minute() == 1
    assert hits.count == 2


def test_who_spends_most_is_first_and_is_forgotten_after_the_minute() -> None:
    clock = ManualClock()
    tally = Tally(clock)
    for record in (turn("ana", 2), turn("ben", 5), turn("ana", 2)):
        tally.delivered(record)
    assert tally.spenders(1) == [("ben", 5, 1)]
    assert tally.spenders(9) == [("ben", 5, 1), ("ana", 4, 2)]
    assert tally.spent() == (9, 3)
    clock.advance(61)
    assert tally.spenders(9) == []


def test_latencies_are_those_of_the_last_ten_minutes() -> None:
    clock = ManualClock()
    tally = Tally(clock)
    assert tally.freshness().median is None
    tally.delivered(turn("ana", 1, *range(1, 101)))
    tally.delivered(turn("ana", 1, 7.0, completes=True))
    assert tally.completions().slowest == 7.0
    fresh = tally.freshness()
    assert (fresh.count, fresh.median, fresh.p95, fresh.slowest) == (101, 50, 95, 100)
    assert tally.states_of_the_minute() == 101
    clock.advance(601)
    assert tally.freshness().count == 0
