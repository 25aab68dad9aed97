"""The quota window against a simulated platform: never overdrawn, and hardly anything left over.

The platform's window opens with the first request that it receives, ours or the customer's own
site's, lasts 60 s and does not roll. Requests and answers take their time, and its clock is off.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from dataclasses import dataclass, field, replace
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits, Reservation
from pointsman.delivery.budget.quota_window import QuotaWindow
from pointsman.platforms.base import RateReading
from pointsman.platforms.helium.rate_headers import read_rate
from tests.support.quota import quota_limits

POINTS, REQUESTS = 20_000, 600
GUARD = 0.2
#: Unix seconds at which a simulation begins
BEGINNING = 1_767_571_200.0


@dataclass(slots=True)
class Server:
    """Counts what it receives; `opened_at` is the start of a window that somebody else opened."""

    clock_off: float
    opened_at: float = -math.inf
    requests: int = 0
    points: int = 0
    most: tuple[int, int] = (0, 0)

    def receive(self, at: float, points: int) -> RateReading:
        """Count one request and read the headers of its answer, as the client would."""
        if at >= self.opened_at + 60:
            self.opened_at, self.requests, self.points = at, 0, 0
        self.requests += 1
        self.points += points
        self.most = max(self.most[0], self.requests), max(self.most[1], self.points)
        wall = BEGINNING + self.clock_off
        headers = {
            "Date": formatdate(wall + at, usegmt=True),
            "X-RateLimit-Reset": str(math.ceil(wall + self.opened_at + 60)),
            "X-RateLimit-Remaining": str(max(0, POINTS - self.points)),
        }
        return read_rate(headers, BEGINNING + at)


@dataclass(frozen=True, slots=True)
class Weather:
    """What the network does: seconds each way, and how many in a hundred fare worse."""

    seed: int
    quick: float
    slow: float
    slow_percent: int = 0
    lost_percent: int = 0
    largest: int = 1
    headers: bool = True


@dataclass(slots=True)
class Simulation:
    """One client that always has more to send."""

    weather: Weather
    server: Server
    window: QuotaWindow = field(
        default_factory=lambda: QuotaWindow(quota_limits(POINTS, REQUESTS, 1.0, GUARD))
    )
    sent: int = 0
    spent: int = 0

    def run(self, seconds: float, restart_at: float = math.inf) -> None:
        dice = random.Random(self.weather.seed)
        order = itertools.count()
        events: list[tuple[float, int, str, int, Reservation | None, RateReading]] = []

        def at(
            when: float,
            what: str,
            points: int,
            reservation: Reservation | None = None,
            reading: RateReading = RateReading(),  # noqa: B008 - frozen
        ) -> None:
            heapq.heappush(events, (when, next(order), what, points, reservation, reading))

        at(0.0, "send", dice.randint(1, self.weather.largest))
        while events and events[0][0] < seconds:
            now, _, what, points, reservation, reading = heapq.heappop(events)
            if now >= restart_at:
                restart_at = math.inf
                self._restart(now)
            if what == "arrive":
                reading = self.server.receive(now, points)
                lost = dice.randrange(100) < self.weather.lost_percent
                if lost or not self.weather.headers:
                    reading = RateReading()
                at(now + (20 if lost else self._way(dice)), "answer", 0, reservation, reading)
            elif reservation is not None:
                self._settle(now, reservation, reading)
            elif (free_at := self.window.next_at(now, points)) > now:
                at(free_at, "send", points)
            else:
                self.sent += 1
                self.spent += points
                at(now + self._way(dice), "arrive", points, self.window.reserve(now, points))
                at(now, "send", dice.randint(1, self.weather.largest))

    def _settle(self, now: float, reservation: Reservation, reading: RateReading) -> None:
        if reservation in self.window._on_the_way:  # else it was sent before the restart
            self.window.settle(
                now, reservation, points_left=reading.points_left, resets_in=reading.resets_in
            )

    def _way(self, dice: random.Random) -> float:
        if dice.randrange(100) < self.weather.slow_percent:
            return dice.uniform(self.weather.quick, self.weather.slow)
        return dice.uniform(0.001, self.weather.quick)

    def _restart(self, now: float) -> None:
        """Another process takes over the books as the ledger has them."""
        old = self.window
        self.window = QuotaWindow(old.limits)
        self.window.restore(now, old.ends_at + 2, old.points, old.requests)

    def used(self, seconds: float) -> float:
        """The part of what the platform allows in so long that was used."""
        return max(self.sent / REQUESTS, self.spent / POINTS) / (seconds / 60)


WEATHER = st.builds(
    Weather,
    seed=st.integers(0, 2**32),
    quick=st.floats(0.005, 0.15),
    slow=st.floats(0.2, 5),
    slow_percent=st.sampled_from([0, 0, 1, 10]),
    lost_percent=st.sampled_from([0, 0, 1]),
    largest=st.sampled_from([1, 60, 100]),
    headers=st.booleans(),
)
OFF = st.floats(-3600, 3600)


def within_the_limits(server: Server) -> bool:
    requests, points = server.most
    return requests <= REQUESTS and points <= POINTS


@settings(max_examples=40, deadline=None)
@given(WEATHER, OFF)
def test_a_window_that_we_open_is_never_overdrawn(weather: Weather, off: float) -> None:
    run = Simulation(weather, Server(off))
    run.run(190)
    assert within_the_limits(run.server), run.server.most


@settings(max_examples=40, deadline=None)
@given(WEATHER, OFF, st.floats(0, 60))
def test_a_window_that_somebody_else_opened_is_never_overdrawn(
    weather: Weather, off: float, since: float
) -> None:
    run = Simulation(
        replace(weather, headers=True), Server(off, opened_at=-since, requests=1, points=1)
    )
    run.run(190)
    assert within_the_limits(run.server), run.server.most


def test_a_window_that_nobody_tells_us_of_is_not_overdrawn_either() -> None:
    most = []
    for seed in range(40):
        weather = Weather(seed, quick=0.1, slow=0.1, largest=200, headers=False)
        since = random.Random(seed).uniform(0, 60)
        run = Simulation(weather, Server(0, opened_at=-since, requests=1, points=1))
        run.run(190)
        most.append(run.server.most)
    assert max(requests for requests, _ in most) <= REQUESTS
    assert max(points for _, points in most) <= POINTS


@settings(max_examples=40, deadline=None)
@given(WEATHER, OFF, st.floats(0.5, 130))
def test_a_restart_does_not_forget_what_is_spent(
    weather: Weather, off: float, restart_at: float
) -> None:
    run = Simulation(weather, Server(off))
    run.run(190, restart_at)
    assert within_the_limits(run.server), run.server.most


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.005, 0.15), st.sampled_from([1, 30]), st.booleans(), OFF)
def test_under_steady_load_hardly_anything_is_left_over(
    seed: int, quick: float, largest: int, headers: bool, off: float
) -> None:
    run = Simulation(
        Weather(seed, quick, slow=quick, largest=largest, headers=headers), Server(off)
    )
    run.run(240)
    assert within_the_limits(run.server), run.server.most
    assert run.used(240) >= 0.97, run.used(240)


def test_small_and_large_requests_together_leave_hardly_anything_over() -> None:
    run = Simulation(Weather(seed=1, quick=0.05, slow=0.05, largest=60), Server(0))
    run.run(240)
    assert run.used(240) >= 0.97


def open_window(now: float = 0.0, limits: QuotaLimits | None = None) -> QuotaWindow:
    """A window of 100 points and 10 requests whose first request was answered at once."""
    window = QuotaWindow(limits or QuotaLimits(100, 10, guard=1, window=60.0))
    window.settle(now, window.reserve(now, 1))
    return window


def test_our_part_of_the_limits_is_paced_and_never_nothing() -> None:
    def part(points: int, requests: int, share: float) -> tuple[int, int]:
        limits = quota_limits(points, requests, share, 0.2)
        return limits.points, limits.requests

    assert part(100_000, 2_500, 1.0) == (99_000, 2_475)
    assert part(100_000, 2_500, 0.5) == (49_500, 1_237)
    assert part(1, 1, 1.0) == (1, 1)


def test_requests_are_spread_over_the_window_by_their_number_or_their_points() -> None:
    window = open_window()
    assert window.next_at(0, 1) == pytest.approx(5.9)
    window.reserve(10, 50)
    # 0.6 s of points are in hand, and this one takes 0.59 s of them
    assert window.next_at(10, 1) == pytest.approx(10 + 29.5 - 0.01)


def test_nothing_is_sent_shortly_before_the_earliest_end() -> None:
    window = open_window()
    assert window.next_at(58.9, 1) == 58.9
    assert window.next_at(59.1, 1) == pytest.approx(60.01)
    assert window.next_at(60.5, 1) == 60.5


def test_the_window_lasts_from_its_first_answer() -> None:
    window = QuotaWindow(QuotaLimits(100, 10, guard=1, window=60.0))
    first = window.reserve(0, 1)
    window.settle(3, window.reserve(6, 1))
    window.settle(7, first)
    assert window.ends_at == pytest.approx(63.01)
    # but may have begun when the first request was sent
    assert window.next_at(59.5, 1) == pytest.approx(63.01)


def test_a_request_that_no_longer_fits_waits_for_the_next_window() -> None:
    window = open_window()
    assert window.next_at(20, 99) == 20
    assert window.next_at(20, 100) == pytest.approx(60.01)
    assert window.left(20) == QuotaLeft(99, 9)
    assert window.left(61) == QuotaLeft(100, 10)


def test_what_is_on_its_way_at_the_end_counts_in_the_next_window_as_well() -> None:
    window = open_window()
    slow = window.reserve(58, 30)
    window.settle(70, window.reserve(70, 1))
    assert window.left(70) == QuotaLeft(69, 8)
    window.settle(71, slow)
    assert window.left(71) == QuotaLeft(69, 8)


def test_what_was_answered_after_the_earliest_end_counts_in_the_next_window_as_well() -> None:
    window = QuotaWindow(QuotaLimits(100, 10, guard=1, window=60.0))
    window.settle(2, window.reserve(0, 1))
    window.settle(60.5, window.reserve(58, 30))
    window.reserve(62.5, 1)
    assert window.left(62.5) == QuotaLeft(69, 8)


def test_the_platforms_count_corrects_ours_when_somebody_else_spends() -> None:
    window = open_window()
    waiting = window.reserve(6, 10)
    window.settle(7, window.reserve(7, 1), points_left=50)
    # of the 50 that were left, 10 may be spent by what is on its way
    assert window.left(7) == QuotaLeft(40, 7)
    window.settle(8, waiting, points_left=5_000)
    assert window.left(8) == QuotaLeft(40, 7)


def test_the_platforms_reset_time_moves_the_window_unless_it_repeats_ours() -> None:
    window = open_window()
    window.settle(10, window.reserve(10, 1), resets_in=51.5)
    assert window.ends_at == pytest.approx(60.01)
    window.settle(20, window.reserve(16, 1), resets_in=5)
    assert window.ends_at == 25
    assert window.next_at(24.5, 1) == 25  # 24 is the last safe moment
    window.settle(26, window.reserve(26, 1), resets_in=3_000)
    assert window.ends_at == 26 + 62


def test_an_answer_of_an_older_window_changes_nothing() -> None:
    window = open_window()
    old = window.reserve(50, 1)
    window.settle(61, window.reserve(61, 1))
    before = replace(window, _on_the_way=set())
    window.settle(62, old, points_left=0, resets_in=5)
    assert window == before


def test_a_throttled_client_waits_as_long_as_it_is_told_and_then_has_a_whole_window() -> None:
    window = open_window()
    window.throttle(10, 7)
    assert window.next_at(10, 1) == 17
    assert window.next_at(18, 100) == 18


def test_a_throttled_client_that_is_told_nothing_waits_for_the_end_of_the_window() -> None:
    window = open_window()
    window.throttle(10, None)
    assert window.next_at(10, 1) == pytest.approx(60.01)
    window.throttle(70, None)
    assert window.next_at(70, 1) == 71


def test_being_throttled_again_never_shortens_the_wait() -> None:
    window = open_window()
    window.throttle(10, 30)
    window.throttle(11, 2)
    assert window.next_at(12, 1) == 40


def test_the_books_of_another_process_hold_until_its_window_ends() -> None:
    window = QuotaWindow(QuotaLimits(100, 10, guard=1, window=60.0))
    window.restore(100, ends_at=130, points=95, requests=3)
    assert window.left(100) == QuotaLeft(5, 7)
    assert (window.next_at(100, 5), window.next_at(100, 6)) == (100, 130)
    assert window.next_at(129.5, 1) == 130
    window.restore(200, ends_at=130, points=95, requests=3)
    assert window.left(200) == QuotaLeft(100, 10)
