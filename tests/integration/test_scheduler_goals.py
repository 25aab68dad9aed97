"""The scheduler's goals in virtual time: near the bound, fair, and nothing starves in any weather.

Small sizes: the quota and the learners of a full instance, divided by twenty. `make bench` runs
the full ones.
"""

from __future__ import annotations

import random

import pytest

from pointsman.delivery.settings import DeliverySettings
from pointsman.domain.targets import Target, Value
from pointsman.platforms.settings import PlatformLimits
from pointsman.simulation.ideal import Ideal, run_slots, urgent_first
from pointsman.simulation.model_platform import Span, Weather
from pointsman.simulation.report import Latency, latency_of, report_of
from pointsman.simulation.run import Outcome, Scenario, simulate
from pointsman.simulation.workload import Burst, WorkloadNumbers, tracks
from tests.support.thoroughness import thorough

SEEDS = thorough([1, 2, 3], otherwise=[1])
#: a twentieth of the default
QUOTA = 125
SLOT = 60 / QUOTA
#: in random weather each learner gets a new authToken so often, seconds
TOKEN_SECONDS = 300.0
#: in random weather 95 of 100 changes wait at most for an outage, a spell of refused tokens and
#: their freshness, one after the other; all others at most for a token, and for a minute more
P95_WAIT, LONGEST_WAIT = 60 + 30 + 30, TOKEN_SECONDS + 60


def limits(requests: int = QUOTA) -> PlatformLimits:
    return PlatformLimits(requests_per_minute=requests, share=1.0)


def bound(scenario: Scenario) -> Ideal:
    return run_slots(
        scenario.workload,
        requests_per_minute=scenario.limits.requests_per_minute,
        duration=scenario.duration,
        latency=0.15,
        order=urgent_first,
    )


def completions(of: Outcome | Ideal, begin: float, end: float) -> Latency:
    series = of.completions if isinstance(of, Ideal) else of.recorder.completions
    return latency_of(series, begin, end)


@pytest.mark.parametrize("seed", SEEDS)
def test_busy_learners_wait_hardly_longer_than_they_have_to_before_in_and_after_a_burst(
    seed: int,
) -> None:
    numbers = WorkloadNumbers(learners=500, bursts=(Burst(300, 60, 5),), seed=seed)
    scenario = Scenario(numbers, limits=limits(), duration=900)
    outcome, least = simulate(scenario), bound(scenario)
    assert outcome.platform.counts.throttled == 0
    calm, calm_at_least = (completions(of, 60, 300) for of in (outcome, least))
    assert calm.p99 <= calm_at_least.p99 + 4 * SLOT
    burst, burst_at_least = (completions(of, 300, 360) for of in (outcome, least))
    assert burst.p99 <= burst_at_least.p99 * 1.05
    after, after_at_least = (completions(of, 600, 880) for of in (outcome, least))
    assert after.p99 <= after_at_least.p99 + 4 * SLOT
    progress = latency_of(outcome.recorder.progress)
    assert progress.p99 <= latency_of(least.progress).p99 * 1.1
    assert outcome.recorder.longest_pause < 3


@pytest.mark.parametrize(("learners", "quota", "part"), [(100, 2_500, 0.56), (40, 100, 0.65)])
@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_thrifty_spends_little_more_than_freshness_asks_for(
    seed: int, learners: int, quota: int, part: float
) -> None:
    numbers = WorkloadNumbers(learners=learners, seed=seed)
    scenario = Scenario(
        numbers, limits=limits(quota), delivery=DeliverySettings(economy="thrifty"), duration=300
    )
    outcome = simulate(scenario)
    report = report_of("thrifty", outcome)
    # the first of all learners' progress falls due together
    assert latency_of(outcome.recorder.progress, 60).p99 < 30
    assert report.completions.p99 < 3
    assert report.requests_per_second < part * report.naive_per_second


@pytest.mark.parametrize("seed", SEEDS)
def test_a_platform_that_takes_two_seconds_gets_all_of_the_quota(seed: int) -> None:
    numbers = WorkloadNumbers(learners=1_000, seed=seed)
    scenario = Scenario(
        numbers,
        weather=Weather(latency=lambda _, __: 2.0),
        limits=limits(2_500),
        duration=120,
    )
    outcome = simulate(scenario)
    last_minute = sum(
        60 <= at < 120 for answers in outcome.recorder.requests.values() for at in answers
    )
    assert last_minute >= 0.97 * 2_500
    assert outcome.platform.counts.throttled == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_after_an_outage_completions_go_within_seconds(seed: int) -> None:
    numbers = WorkloadNumbers(learners=1_000, seed=seed)
    scenario = Scenario(
        numbers,
        weather=Weather(outages=(Span(30, 90),)),
        limits=limits(2_500),
        duration=110,
    )
    series = simulate(scenario).recorder.completions
    late = [
        at - 90
        for at, seconds in zip(series.at, series.seconds, strict=True)
        if 30 <= at - seconds < 90
    ]
    assert late
    # 168 completions arrive in that minute, which is four seconds of the quota
    assert max(late) <= 4 + 5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_source_with_a_hundred_times_the_traffic_delays_only_itself(seed: int) -> None:
    """The quota binds in both cases. Alone with as many as itself, and beside a hundred times."""

    def small_source(others: int) -> Latency:
        outcome = simulate(
            Scenario(
                WorkloadNumbers(learners=30, topic_seconds=30, seed=seed, source="small"),
                others=(
                    WorkloadNumbers(learners=others, topic_seconds=30, seed=seed, source="big"),
                ),
                limits=limits(250),
                duration=240,
            )
        )
        return latency_of(outcome.recorder.by_source["small"])

    beside_as_many, beside_many = small_source(30), small_source(3_000)
    assert beside_many.p99 <= beside_as_many.p99 * 1.1


def random_weather(seed: int, duration: float) -> Weather:
    chance = random.Random(seed)
    spells = [chance.uniform(0.05, 10) for _ in range(int(duration / 60) + 1)]
    events = [chance.uniform(60, duration - 120) for _ in range(8)]
    return Weather(
        latency=lambda time, moment: moment.uniform(
            0.05, spells[min(int(time / 60), len(spells) - 1)]
        ),
        outages=tuple(Span(at, at + chance.uniform(2, 60)) for at in events[:4]),
        refusals=tuple(Span(at, at + chance.uniform(2, 30)) for at in events[4:]),
        competitor=lambda moment: moment.choice([0.0, 0.0, moment.uniform(0, 0.15)]),
    )


@pytest.mark.parametrize("seed", thorough(list(range(1, 11)), otherwise=[1, 2, 3]))
def test_in_random_weather_nothing_is_lost_and_nothing_starves(seed: int) -> None:
    """The platform's state is what is desired; the longest wait is that of docs/scheduling.md."""
    learners, duration = 30, thorough(3_600.0, otherwise=1_000.0)
    numbers = WorkloadNumbers(learners=learners, seed=seed)
    scenario = Scenario(
        numbers,
        weather=random_weather(seed, duration),
        limits=PlatformLimits(requests_per_minute=QUOTA, share=0.8),
        delivery=DeliverySettings(retry_max_seconds=30, economy="thrifty"),
        duration=duration,
        token_seconds=TOKEN_SECONDS,
        drain=2 * TOKEN_SECONDS,
    )
    outcome = simulate(scenario, remembers=True)
    assert outcome.platform.counts.throttled_by_us == 0
    assert outcome.platform.state == desired(numbers, duration)
    assert outcome.store.waiting == 0
    for waits in map(latency_of, (outcome.recorder.progress, outcome.recorder.completions)):
        assert waits.p95 <= P95_WAIT
        assert waits.longest <= LONGEST_WAIT


def desired(numbers: WorkloadNumbers, duration: float) -> dict[tuple[str, Target], Value]:
    """What the platform has to end with: of each target the newest value."""
    return {
        (track.recipient.id, change.target): change.value
        for track in tracks(numbers)
        for _, change in track.changes_until(duration)
    }
