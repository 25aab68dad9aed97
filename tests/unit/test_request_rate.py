"""One credential makes so many requests in a second, and ten times that at once."""

from __future__ import annotations

from pointsman.sources.players.request_rate import RequestRate
from tests.support.manual_clock import ManualClock


def test_a_credential_gets_a_burst_then_its_rate_and_others_notice_nothing() -> None:
    clock = ManualClock()
    rate = RequestRate(2, clock)
    assert [rate.seconds_to_wait("ana") for _ in range(20)] == [0.0] * 20
    assert rate.seconds_to_wait("ana") == 0.5
    assert rate.seconds_to_wait("ben") == 0.0
    clock.advance(0.5)
    assert (rate.seconds_to_wait("ana"), rate.seconds_to_wait("ana")) == (0.0, 0.5)
    clock.advance(3_600)
    assert [rate.seconds_to_wait("ana") == 0.0 for _ in range(21)] == [True] * 20 + [False]


def test_a_rate_of_less_than_one_lets_one_request_through() -> None:
    clock = ManualClock()
    rate = RequestRate(0.1, clock)
    assert (rate.seconds_to_wait("ana"), rate.seconds_to_wait("ana")) == (0.0, 10.0)
    clock.advance(10)
    assert rate.seconds_to_wait("ana") == 0.0
