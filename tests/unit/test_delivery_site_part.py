"""Sharing the quota with a site that takes what it likes: neither is refused because of us."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from pointsman.delivery.budget.base import QuotaLimits, Reservation
from pointsman.delivery.budget.quota_window import QuotaWindow
from pointsman.platforms.settings import PlatformLimits

POINTS, REQUESTS = 40_000, 1_000
WINDOW = 60.0


@dataclass(slots=True)
class Shared:
    """A platform, a site that takes a part of each window, and us, who always have more to send.

    `part(dice)` is drawn for each window; `when(dice)` says when in it a request of the site comes,
    as a part of the window.
    """

    part: Callable[[random.Random], float]
    share: float = 0.95
    cost: int = 40
    latency: float = 0.15
    seed: int = 1
    when: Callable[[random.Random], float] = random.Random.random
    #: of us, and of the site, in each window
    refused: list[int] = field(default_factory=list)
    site_refused: list[int] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    parts: list[float] = field(default_factory=list)

    def run(self, windows: int) -> None:  # noqa: C901 - one branch for each kind of event
        dice = random.Random(self.seed)
        limits = PlatformLimits(
            points_per_minute=POINTS,
            requests_per_minute=REQUESTS,
            share=self.share,
            sharing="adaptive",
        )
        window = QuotaWindow(QuotaLimits.of(limits, window=WINDOW))
        order = itertools.count()
        events: list[tuple[float, int, str, Reservation | None, int, float | None]] = []

        def at(
            when: float,
            what: str,
            sent: Reservation | None = None,
            left: int = 0,
            retry_after: float | None = None,
        ) -> None:
            heapq.heappush(events, (when, next(order), what, sent, left, retry_after))

        requests = points = 0
        at(0.5, "send")
        at(0.0, "window")
        while len(self.used) <= windows:
            now, _, what, sent, left, retry_after = heapq.heappop(events)
            ends_at = len(self.used) * WINDOW
            if what == "window":
                # the site sends all the time, so windows follow one another without a gap
                requests = points = 0
                self.parts.append(self.part(dice))
                for counted in (self.refused, self.site_refused, self.used):
                    counted.append(0)
                for _ in range(int(self.parts[-1] * REQUESTS)):
                    at(now + WINDOW * self.when(dice), "site")
                at(now + WINDOW, "window")
            elif what == "site":
                fits = requests < REQUESTS and points + self.cost <= POINTS
                self.site_refused[-1] += not fits
                requests, points = requests + fits, points + self.cost * fits
            elif what == "arrive":
                fits = requests < REQUESTS and points + 2 <= POINTS
                self.refused[-1] += not fits
                self.used[-1] += fits
                requests, points = requests + fits, points + 2 * fits
                wait = None if fits else float(math.ceil(ends_at - now))
                at(now + self.latency / 2, "answer", sent, POINTS - points, wait)
            elif what == "answer":
                assert sent is not None
                resets_in = float(math.ceil(ends_at - now))
                if retry_after is None:
                    window.settle(now, sent, points_left=left, resets_in=resets_in)
                else:
                    window.settle(now, sent)
                    window.throttle(now, retry_after)
            elif (free_at := window.next_at(now, 2)) > now:
                at(free_at, "send")
            else:
                at(now + self.latency / 2, "arrive", window.reserve(now, 2))
                at(now, "send")


def test_a_site_that_takes_a_random_part_of_each_window_costs_no_429_and_loses_nothing() -> None:
    run = Shared(lambda dice: dice.uniform(0, 0.8))
    run.run(40)
    assert sum(run.refused) == 0
    assert sum(run.site_refused[5:]) == 0  # before nobody knows how much it may take
    # and we take what it leaves
    left = sum(1 - part for part in run.parts[5:-1]) * REQUESTS
    assert sum(run.used[5:-1]) >= 0.85 * left


def test_a_site_with_cheap_requests_costs_a_few_429s_until_that_is_learnt() -> None:
    run = Shared(lambda dice: dice.uniform(0, 0.8), cost=4)
    run.run(40)
    assert sum(run.refused[15:]) == 0


@pytest.mark.parametrize("cost", [4, 40])
def test_a_site_within_its_reserve_is_never_refused_because_of_us(cost: int) -> None:
    """It takes all of it at once, at any moment of the window."""
    dice = random.Random(7)
    moments = iter([dice.random() for _ in range(10_000)])
    moment = [0.0]

    def part(_: random.Random) -> float:
        moment[0] = next(moments)
        return 0.2

    run = Shared(part, share=0.8, cost=cost, when=lambda _: moment[0])
    run.run(25)
    assert sum(run.site_refused) == 0
    # and nearly all of the share is used once it is known
    assert sum(run.used[15:-1]) >= 0.9 * 0.8 * REQUESTS * len(run.used[15:-1])


def test_without_a_site_we_take_our_share() -> None:
    run = Shared(lambda _: 0.0, share=0.8)
    run.run(5)
    assert sum(run.refused) == 0
    assert all(used <= 0.8 * REQUESTS for used in run.used)
    assert min(run.used[1:-1]) >= 0.97 * 0.8 * REQUESTS


def test_a_site_that_takes_nearly_all_leaves_us_little_but_not_nothing() -> None:
    run = Shared(lambda _: 0.9)
    run.run(8)
    assert sum(run.site_refused[1:]) == 0  # in the first window nobody knows of it
    assert min(run.used[3:-1]) > 0
