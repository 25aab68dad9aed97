"""The window that replicas share, as its row has it: each test writes and reads it at each step."""

from __future__ import annotations

import math
import random

import pytest

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits
from pointsman.delivery.budget.shared_window import (
    Answer,
    Report,
    SharedWindow,
    SlotGrant,
    SlotRequest,
    StoreClock,
)
from pointsman.platforms.base import RateReading

LIMITS = QuotaLimits(100, 10, guard=1, window=60.0, total_points=100, total_requests=10)
ONE = SlotRequest(1, 10, 10, math.inf)


class Row:
    """What the store holds; every step is a transaction."""

    def __init__(self, limits: QuotaLimits = LIMITS) -> None:
        self.limits = limits
        self.text = ""

    def ask(
        self,
        now: float,
        report: Report,
        request: SlotRequest | None = None,
        *,
        set_by: float = 0.0,
    ) -> SlotGrant:
        window = self.at(now, set_by=set_by)
        window.hear(report)
        grant = SlotGrant() if request is None else window.grant(report.replica, request)
        self.text = window.write()
        return grant

    def confirm(self, now: float, report: Report, points: int) -> float:
        window = self.at(now)
        window.hear(report)
        wait = window.confirm(report.replica, points)
        self.text = window.write()
        return wait

    def at(self, now: float, *, set_by: float = 0.0) -> SharedWindow:
        window = SharedWindow.read(self.text, self.limits)
        window.move_to(now, set_by=set_by)
        return window

    def left(self, now: float) -> QuotaLeft:
        return self.at(now).left()


def test_a_slot_counts_as_sent_until_its_replica_says_otherwise() -> None:
    row = Row()
    assert row.ask(0, Report("a"), ONE) == SlotGrant((0.0,), 10)
    assert row.left(1) == QuotaLeft(90, 9)
    row.ask(2, Report("a"))
    assert row.left(2) == QuotaLeft(100, 10)


def test_what_one_replica_gives_back_another_gets_at_once() -> None:
    row = Row()
    row.ask(0, Report("a"), SlotRequest(1, 100, 100, math.inf))
    assert row.ask(1, Report("b"), SlotRequest(1, 100, 100, 5)) == SlotGrant()
    row.ask(2, Report("a"))
    assert row.ask(2, Report("b"), SlotRequest(1, 100, 100, 5)) == SlotGrant((0.0,), 100)


def test_what_was_answered_counts_for_a_window_from_its_answer_on() -> None:
    row = Row()
    row.ask(0, Report("a"), ONE)
    row.ask(3, Report("a", (Answer(1.0, 0.0, 10),)))
    assert row.left(62.9) == QuotaLeft(90, 9)
    assert row.left(63.3) == QuotaLeft(100, 10)  # to a quarter of a second


def test_a_report_that_is_heard_twice_frees_nothing_that_is_sent() -> None:
    row = Row()
    row.ask(0, Report("a"), ONE)
    row.ask(9, Report("b"), ONE)
    for _ in range(2):
        row.ask(10, Report("a", requests=1, points=10))
        assert row.left(10) == QuotaLeft(80, 8)
    for _ in range(2):
        row.ask(11, Report("a", (Answer(0.0, 0.2, 10),)))
        assert row.left(11).requests <= 8


def test_what_a_replica_had_that_is_gone_counts_for_two_windows() -> None:
    row = Row()
    row.ask(0, Report("a"), ONE)
    row.ask(50, Report("b"), ONE)
    assert row.left(120).requests == 8
    assert row.left(122) == QuotaLeft(90, 9)


def test_whoever_waits_keeps_its_place_and_is_not_held_up_by_those_who_come_later() -> None:
    row = Row()
    row.ask(0, Report("c"), SlotRequest(1, 95, 95, math.inf))
    row.ask(1, Report("c", (Answer(0.0, 0.0, 95),)))
    dear = row.ask(2, Report("a"), SlotRequest(1, 60, 60, math.inf))
    cheap = row.ask(3, Report("b"), SlotRequest(1, 50, 50, math.inf))
    (first,), (second,) = dear.starts, cheap.starts
    at = 2 + first
    assert 62 <= at <= 63
    assert 3 + second > at + 30
    waiting = Report("a", requests=1, points=60, waits=True)
    assert row.confirm(at - 1, waiting, 60) == pytest.approx(1.0)
    assert row.confirm(at, waiting, 60) == 0.0


def test_whoever_waits_heeds_what_the_platform_said_since() -> None:
    row = Row()
    row.ask(0, Report("b", (Answer(0, 0, 1, RateReading(retry_after=5.0)),)))
    (start,) = row.ask(0, Report("a"), ONE).starts
    assert start == 5
    row.ask(4, Report("b", (Answer(0, 0, 1, RateReading(retry_after=9), is_throttled=True),)))
    assert row.confirm(5, Report("a", requests=1, points=10, waits=True), 10) == 8


def test_a_dear_slot_is_given_only_where_it_costs_no_time() -> None:
    row = Row()
    assert row.ask(0, Report("a"), SlotRequest(1, 1, 50, math.inf)).points == 50
    row = Row()
    row.ask(0, Report("b"), SlotRequest(1, 60, 60, math.inf))
    assert row.ask(40, Report("a"), SlotRequest(1, 1, 50, math.inf)) == SlotGrant((0.0,), 1)


@pytest.mark.parametrize("by", [-3_600.0, -1.0, 1.0, 3_600.0])
def test_a_clock_that_is_set_moves_no_books_however_many_notice(by: float) -> None:
    row = Row()
    row.ask(1_000, Report("a"), ONE)
    row.ask(1_001, Report("a", (Answer(0.0, 0.1, 10),)))
    knew = [StoreClock.seen(1_001_000_000, 1.0, 1.0, 0.0) for _ in range(2)]
    for number, before in enumerate(knew):
        here = 2.0 + number
        now = 1_000 + here + by
        seen = StoreClock.seen(round(now * 1e6), here, here, row.at(now).set_forward_by)
        row.ask(now, Report(f"{number}"), set_by=seen.set_since(before))
    assert row.left(1_059 + by).requests == 9
    assert row.left(1_063 + by).requests == 10


def test_a_clock_that_is_only_asked_late_was_not_set() -> None:
    quick = StoreClock.seen(10_000_000, 1.0, 1.0, 0.0)
    slow = StoreClock.seen(12_000_000, 2.0, 6.0, 0.0)
    assert slow.set_since(quick) == quick.set_since(slow) == quick.set_since(None) == 0.0


def test_a_row_is_read_as_it_was_written() -> None:
    """After an hour of everything, with a site that takes its part."""
    dice = random.Random(1)
    limits = QuotaLimits(
        5_000, 400, 0.2, 60.0, share=0.9, total_points=6_000, total_requests=500, is_adaptive=True
    )
    row = Row(limits)
    on_the_way: dict[str, list[int]] = {"a": [], "b": []}
    now = 1_767_571_200.0
    for _ in range(500):
        now += dice.uniform(0, 14)
        who = dice.choice("ab")
        points = dice.randint(1, 30)
        answers = tuple(
            Answer(0.1, 0.2, spent, RateReading(max(0, 4_000 - int(now) % 60 * 50), 60 - now % 60))
            for spent in on_the_way[who]
        )
        grant = row.ask(now, Report(who, answers), SlotRequest(2, points, points, 30))
        on_the_way[who] = [points] * len(grant.starts)
        again = SharedWindow.read(row.text, limits)
        assert again.write() == row.text
    assert again.books.site is not None
    assert again.books.site.earlier
