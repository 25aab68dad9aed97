"""The quota window against a simulated platform: never overdrawn, never idle.

The platform's window opens with the first request that it receives, ours or the customer's own
site's, lasts 60 s and does not roll. Requests and answers take their time, its clock is off, it
rounds its reset time somehow, and others spend from the same quota.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits, Reservation
from pointsman.delivery.budget.platform_window import PlatformWindow, window_end
from pointsman.delivery.budget.quota_window import QuotaWindow
from pointsman.platforms.base import RateReading
from pointsman.platforms.helium.rate_headers import read_rate
from tests.support.quota import quota_limits

POINTS, REQUESTS = 20_000, 600
GUARD = 0.2
#: Unix seconds at which a simulation begins
BEGINNING = 1_767_571_200.0
#: how a platform may say when its window ends
RESETS = (
    "absolute, up",
    "absolute, down",
    "absolute, no Date",
    "relative, up",
    "relative, down",
    "none",
)


@dataclass(slots=True)
class Server:
    """Counts what it receives; `opened_at` is the start of a window that somebody else opened."""

    clock_off: float
    opened_at: float = -math.inf
    requests: int = 0
    points: int = 0
    most: tuple[int, int] = (0, 0)
    reset: str = "absolute, up"
    #: points that another client spends at the beginning of each window
    others: int = 0

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
            "X-RateLimit-Remaining": str(max(0, POINTS - self.points - self.others)),
        }
        ends_at = self.opened_at + 60
        match self.reset:
            case "absolute, up":
                headers["X-RateLimit-Reset"] = str(math.ceil(wall + ends_at))
            case "absolute, down":
                headers["X-RateLimit-Reset"] = str(math.floor(wall + ends_at))
            case "absolute, no Date":
                del headers["Date"]
                headers["X-RateLimit-Reset"] = str(math.ceil(wall + ends_at))
            case "relative, up":
                headers["X-RateLimit-Reset"] = str(math.ceil(ends_at - at))
            case "relative, down":
                headers["X-RateLimit-Reset"] = str(math.floor(ends_at - at))
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
    #: when each request was sent
    times: list[float] = field(default_factory=list)

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
                self.times.append(now)
                at(now + self._way(dice), "arrive", points, self.window.reserve(now, points))
                at(now, "send", dice.randint(1, self.weather.largest))

    def _settle(self, now: float, reservation: Reservation, reading: RateReading) -> None:
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
        self.window.log.restore(old.log.entries(now))

    def used(self, seconds: float) -> float:
        """The part of what the platform allows in so long that was used."""
        return max(self.sent / REQUESTS, self.spent / POINTS) / (seconds / 60)

    def longest_pause(self, until: float) -> float:
        """Seconds in which nothing was sent."""
        return max(b - a for a, b in itertools.pairwise([0.0, *self.times, until]))


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


@settings(max_examples=15, deadline=None)
@given(
    WEATHER,
    OFF,
    st.sampled_from(RESETS),
    st.one_of(st.none(), st.floats(0, 60)),
    st.one_of(st.just(math.inf), st.floats(0.5, 130)),
)
def test_no_window_is_ever_overdrawn_whatever_the_platform_does(
    weather: Weather, off: float, reset: str, since: float | None, restart_at: float
) -> None:
    """Its window is ours or another's, its clock off, its reset time rounded, we are restarted."""
    opened_at = -math.inf if since is None else -since
    run = Simulation(weather, Server(off, opened_at, 1, 1, reset=reset))
    run.run(190, restart_at)
    assert within_the_limits(run.server), run.server.most


@settings(max_examples=15, deadline=None)
@given(
    WEATHER,
    OFF,
    st.sampled_from(RESETS),
    st.one_of(st.none(), st.floats(0, 60)),
    st.one_of(st.just(math.inf), st.floats(0.5, 130)),
)
def test_with_work_waiting_the_window_is_never_idle(
    weather: Weather, off: float, reset: str, since: float | None, restart_at: float
) -> None:
    opened_at = -math.inf if since is None else -since
    weather = replace(weather, slow_percent=0, lost_percent=0, largest=min(weather.largest, 30))
    run = Simulation(weather, Server(off, opened_at, 1, 1, reset=reset))
    run.run(190, restart_at)
    assert run.longest_pause(190) < 1.0
    assert run.used(190) >= 0.96, run.used(190)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), OFF, st.sampled_from(RESETS[:5]), st.floats(0, 60))
def test_when_others_have_spent_the_window_we_go_on_soon_after_its_end(
    seed: int, off: float, reset: str, since: float
) -> None:
    server = Server(off, -since, 1, POINTS - 200, reset=reset)
    run = Simulation(Weather(seed, 0.05, 0.05, largest=20), server)
    run.run(since + 70)
    ends_at = 60 - since
    assert within_the_limits(server), server.most
    # a clock that is off, without a Date to tell, may cost the rest of a window; else two seconds
    wait = 60 if reset == "absolute, no Date" else ends_at + 3.2
    assert [at for at in run.times if ends_at <= at <= wait + 1]


@pytest.mark.parametrize("reset", RESETS)
def test_a_window_that_somebody_else_opened_long_before_us_is_carried_over_to_none(
    reset: str,
) -> None:
    """Its header then prolonged our window without emptying it."""
    server = Server(0.4, -31.7, 30, 30, reset=reset)
    run = Simulation(Weather(seed=3, quick=0.05, slow=0.05), server)
    run.run(300)
    assert within_the_limits(server), server.most
    assert run.longest_pause(300) < 1
    assert run.used(300) >= 0.97


@pytest.mark.parametrize("restart_at", [0.5, 20, 55, 58, 59, 59.5, 59.9, 60, 60.1, 61, 63, 90])
@pytest.mark.parametrize("reset", ["absolute, up", "relative, down", "none"])
def test_after_a_restart_the_quota_is_used_at_once(restart_at: float, reset: str) -> None:
    server = Server(0.7, reset=reset)
    run = Simulation(Weather(seed=3, quick=0.05, slow=0.05), server)
    run.run(200, restart_at)
    assert within_the_limits(server), server.most
    after = [at for at in run.times if restart_at < at <= restart_at + 5]
    assert len(after) >= 0.9 * 5 * REQUESTS / 60
    assert run.longest_pause(200) < 1


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.005, 4), st.sampled_from([1, 30]), st.booleans(), OFF)
def test_under_steady_load_hardly_anything_is_left_over(
    seed: int, way: float, largest: int, headers: bool, off: float
) -> None:
    """However long the platform takes, if it takes about as long for each."""
    weather = Weather(seed, way, slow=way * 1.05, slow_percent=100, largest=largest)
    run = Simulation(replace(weather, headers=headers), Server(off))
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
    assert window.next_at(0, 1) == pytest.approx(6.1)
    window.reserve(10, 50)
    # 0.6 s of points are in hand, and this one takes 0.61 s of them
    assert window.next_at(10, 1) == pytest.approx(10 + 30.5)


def test_what_was_answered_a_window_ago_counts_no_longer() -> None:
    window = open_window()
    assert window.next_at(20, 99) == 20
    assert window.next_at(20, 100) == 61
    assert window.left(20) == QuotaLeft(99, 9)
    assert window.left(61) == QuotaLeft(100, 10)


def test_what_took_longer_than_others_counts_from_its_answer_less_their_time() -> None:
    window = QuotaWindow(QuotaLimits(100, 10, guard=1, window=60.0))
    window.settle(2, window.reserve(0, 1))
    window.settle(13, window.reserve(10, 99))
    assert window.next_at(50, 100) == 13 + 61 - 2
    window.settle(50.5, window.reserve(50, 0))
    assert window.next_at(51, 100) == 13 + 61 - 0.5


def test_what_is_on_its_way_may_be_counted_now() -> None:
    window = QuotaWindow(QuotaLimits(100, 10, guard=1, window=60.0))
    slow = window.reserve(0, 100)
    assert window.next_at(200, 1) == 261
    window.settle(200, slow, is_answer=False)
    assert window.next_at(201, 1) == 261


def test_a_request_that_nobody_hears_of_is_forgotten_after_a_while() -> None:
    window = QuotaWindow(QuotaLimits(100, 10, guard=1, window=60.0))
    window.reserve(0, 100)
    assert window.next_at(661, 100) == 661


def test_the_platforms_count_corrects_ours_when_somebody_else_spends() -> None:
    window = open_window()
    waiting = window.reserve(6, 10)
    window.settle(7.5, window.reserve(7, 1), points_left=50)
    # of the 50 that were left, 10 may be spent by what is on its way
    assert window.left(7.5) == QuotaLeft(40, 7)
    window.settle(8, waiting, points_left=5_000)
    assert window.left(8) == QuotaLeft(40, 7)


def test_what_was_answered_while_a_count_was_under_way_may_be_missing_from_it() -> None:
    window = open_window()
    counted = window.reserve(6, 1)
    window.settle(7, window.reserve(6.5, 10))
    window.settle(8, counted, points_left=50)
    assert window.left(8).points == 40


def test_a_window_without_points_is_left_alone_until_it_is_surely_over() -> None:
    window = open_window()
    window.settle(20.1, window.reserve(20, 1), points_left=0, resets_in=5)
    assert window.next_at(21, 1) == pytest.approx(26.1)
    assert window.left(21).points == 0
    # and the next one is a new one
    window.settle(27, window.reserve(26.9, 1), points_left=90, resets_in=59)
    assert window.left(27).points == 90


def test_an_answer_of_an_older_window_changes_nothing() -> None:
    window = open_window()
    old = window.reserve(50, 1)
    window.settle(61.1, window.reserve(61, 1), points_left=95, resets_in=60)
    assert window.left(61.5).points == 94  # the old one may be missing from the count
    window.settle(62, old, points_left=0, resets_in=0)
    assert window.left(62).points == 94


@given(
    st.floats(0, 59.9),
    st.floats(0, 3),
    st.floats(0, 3),
    st.sampled_from([math.ceil, math.floor, round]),
    st.floats(-0.999, 0),
)
def test_the_end_of_a_window_is_where_the_header_says_within_its_rounding(
    counted_at: float,
    before: float,
    after: float,
    rounding: Callable[[float], int],
    date_rounded: float,
) -> None:
    sent_at, now, ends_at = counted_at - before, counted_at + after, 60.0
    resets_in = rounding(ends_at - counted_at)
    end = window_end(sent_at, now, resets_in, 60.0)
    assert end.not_before <= ends_at <= end.not_after
    assert end.not_after - ends_at <= 2 + before + after
    # the server's Date has whole seconds too
    assert window_end(sent_at, now, resets_in - date_rounded, 60.0).not_after >= ends_at


def test_a_reset_time_that_can_not_be_is_taken_for_not_said() -> None:
    assert window_end(10, 11, 3_000, 60.0) == window_end(10, 11, None, 60.0)


def test_what_a_window_has_left_is_not_known_once_it_is_over() -> None:
    told = PlatformWindow(60.0)
    assert told.left(0) == math.inf
    told.read(0, 1, 5, 20)
    assert (told.left(21.9), told.left(22)) == (5, math.inf)


def test_a_throttled_client_waits_as_long_as_it_is_told() -> None:
    window = open_window()
    window.throttle(10, 7)
    assert window.next_at(10, 1) == 17
    assert window.left(16) == QuotaLeft(0, 0)


def test_a_throttled_client_that_is_told_nothing_waits_for_the_end_of_the_window() -> None:
    window = open_window()
    window.settle(10, window.reserve(9, 1), points_left=50, resets_in=20)
    window.throttle(11, None)
    assert window.next_at(11, 1) == pytest.approx(31)
    window.throttle(70, None)
    assert window.next_at(70, 1) == 130


def test_being_throttled_again_never_shortens_the_wait() -> None:
    window = open_window()
    window.throttle(10, 30)
    window.throttle(11, 2)
    assert window.next_at(12, 1) == 40


def test_what_another_process_sent_counts_as_long_as_our_own() -> None:
    window = QuotaWindow(QuotaLimits(100, 10, guard=1, window=60.0))
    window.log.restore([(90, 1, 55), (80, 1, 40)])
    assert window.left(100) == QuotaLeft(5, 8)
    assert (window.next_at(100, 5), window.next_at(100, 6)) == (100, 141)
    assert window.left(151) == QuotaLeft(100, 10)


def test_giving_way_to_the_site_begins_and_ends_with_its_setting() -> None:
    window = open_window()
    shared = replace(window.limits, is_adaptive=True, total_points=100_000, total_requests=2_500)

    window.reconfigure(shared)
    assert window.site is not None
    site = window.site
    window.reconfigure(replace(shared, points=1_000))
    assert window.site is site
    window.reconfigure(replace(shared, is_adaptive=False))
    assert window.site is None
