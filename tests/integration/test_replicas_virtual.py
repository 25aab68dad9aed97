"""Replicas on one database, in virtual time: they cost hardly any time, are fair, and give way."""

from __future__ import annotations

import pytest

from pointsman.platforms.settings import PlatformLimits
from pointsman.simulation.model_platform import Weather
from pointsman.simulation.report import Latency, latency_of
from pointsman.simulation.run import Scenario
from pointsman.simulation.workload import WorkloadNumbers
from tests.support.thoroughness import thorough
from tests.support.virtual_replicas import run_replicas

SEEDS = thorough([1, 2, 3], otherwise=[1])
#: a tenth of the default
QUOTA = 250
#: and the number of learners that binds it
LEARNERS = 500
#: the one process that has its budget for itself
ONE_PROCESS = 0


@pytest.mark.parametrize("seed", SEEDS)
def test_two_replicas_deliver_completions_nearly_as_fast_as_one_process(seed: int) -> None:
    scenario = Scenario(
        WorkloadNumbers(learners=LEARNERS, topic_seconds=150, seed=seed),
        limits=PlatformLimits(requests_per_minute=QUOTA, share=1.0),
        duration=150,
    )

    def completions(replicas: int) -> Latency:
        recorder, platform, _ = run_replicas(scenario, replicas)
        assert platform.counts.throttled == 0
        assert platform.counts.requests >= 0.97 * QUOTA * 2.5
        assert recorder.longest_pause < 3
        return latency_of(recorder.completions, 20, 140)

    alone, two = completions(ONE_PROCESS), completions(2)
    assert two.p50 <= 1.2 * alone.p50
    assert two.p99 <= 1.2 * alone.p99


@pytest.mark.parametrize("seed", SEEDS)
def test_a_source_with_a_hundred_times_the_traffic_delays_only_itself_on_two_replicas(
    seed: int,
) -> None:
    def small_source(others: int) -> Latency:
        recorder, _, _ = run_replicas(
            Scenario(
                WorkloadNumbers(learners=10, topic_seconds=30, seed=seed, source="small"),
                others=(
                    WorkloadNumbers(learners=others, topic_seconds=30, seed=seed, source="big"),
                ),
                limits=PlatformLimits(requests_per_minute=80, share=1.0),
                duration=300,
            ),
            2,
        )
        return latency_of(recorder.by_source["small"])

    beside_as_many, beside_many = small_source(10), small_source(1_000)
    assert beside_many.p99 <= beside_as_many.p99 * 1.1


@pytest.mark.parametrize("seed", SEEDS)
def test_replicas_leave_a_site_what_it_wants_and_take_the_rest_as_one_process_does(
    seed: int,
) -> None:
    scenario = Scenario(
        WorkloadNumbers(learners=LEARNERS // 2, seed=seed),
        weather=Weather(competitor=lambda chance: chance.uniform(0, 0.8)),
        limits=PlatformLimits(requests_per_minute=QUOTA // 2, share=0.95, sharing="adaptive"),
        duration=480,
    )
    requests = []
    for replicas in (ONE_PROCESS, 2):
        _, platform, _ = run_replicas(scenario, replicas)
        assert platform.counts.throttled == 0
        requests.append(platform.counts.requests)
    assert requests[1] >= 0.97 * requests[0]
