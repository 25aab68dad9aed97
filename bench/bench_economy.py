"""Ways of sending, on the same workloads: naive, batched, first-come, pointsman, and the bound.

`python -m bench.bench_economy` measures with three seeds, prints tables, and writes them into
docs/benchmarks.md with pictures beside it. With words it measures only what has them in its name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from bench.economy_goals import GOALS, QUOTA
from bench.economy_results import IMAGES, Figures, figures_of, keep, write_page
from pointsman.delivery.settings import DeliverySettings
from pointsman.platforms.settings import PlatformLimits
from pointsman.simulation.ideal import first_come, run_slots, urgent_first
from pointsman.simulation.picture import draw
from pointsman.simulation.run import Outcome, Scenario, simulate
from pointsman.simulation.workload import Burst, WorkloadNumbers

SEEDS = (1, 2, 3)
LATENCY = 0.15
#: a batching sender gathers a learner's inputs for so many seconds
GATHER = 30.0

WORKLOADS = {
    "1,000 learners": (WorkloadNumbers(learners=1_000), 600.0),
    "2,500 learners": (WorkloadNumbers(learners=2_500), 900.0),
    "10,000 learners": (WorkloadNumbers(learners=10_000), 1_500.0),
    "10,000, a burst": (
        WorkloadNumbers(learners=10_000, bursts=(Burst(600, 300, 5),)),
        1_800.0,
    ),
}
#: where the quota binds there is nothing to be thrifty with
THRIFTY = frozenset({"1,000 learners"})
PROGRESS_65 = "pointsman, thrifty, 65 s"


def scenario(
    numbers: WorkloadNumbers, duration: float, economy: str, fresh_within: float = 30.0
) -> Scenario:
    """Ours, with the whole quota."""
    delivery = {"economy": economy, "fresh_within_seconds": fresh_within}
    return Scenario(
        numbers,
        limits=PlatformLimits(requests_per_minute=QUOTA, share=1.0),
        delivery=DeliverySettings.model_validate(delivery),
        duration=duration,
    )


def ways(
    name: str, numbers: WorkloadNumbers, duration: float
) -> Iterable[tuple[str, Callable[[], Figures]]]:
    """What is compared."""

    def ideal(order: Callable[[float, float], tuple[float, float]], gather: float = 0.0) -> Figures:
        result = run_slots(
            numbers,
            order=order,
            gather=gather,
            requests_per_minute=QUOTA,
            duration=duration,
            latency=LATENCY,
        )
        return figures_of(result.requests_per_second, result.completions, result.progress)

    def ours(economy: str, fresh_within: float = 30.0) -> Figures:
        outcome = simulate(scenario(numbers, duration, economy, fresh_within))
        requests = outcome.platform.counts.requests / duration
        return figures_of(requests, outcome.recorder.completions, outcome.recorder.progress)

    yield "naive: a request for each input", lambda: naive(numbers, duration)
    yield f"batched: a learner's inputs of {GATHER:g} s", lambda: ideal(first_come, GATHER)
    yield "coalesced: a learner's state, first come", lambda: ideal(first_come)
    yield "pointsman, fresh", lambda: ours("fresh")
    if name in THRIFTY:
        yield "pointsman, thrifty, 30 s", lambda: ours("thrifty")
        yield PROGRESS_65, lambda: ours("thrifty", 65.0)
    yield "the bound", lambda: ideal(urgent_first)


def naive(numbers: WorkloadNumbers, duration: float) -> Figures:
    """A queue of inputs, as a fluid: the one that arrives at a time waits for all before it."""
    rate = QUOTA / 60
    inputs = (
        numbers.learners / (sum(numbers.heartbeat) / 2) + numbers.learners / numbers.topic_seconds
    )
    backlog, waits = 0.0, []
    for second in range(int(duration)):
        factors = [one.factor for one in numbers.bursts if one.at <= second < one.at + one.seconds]
        extra = (max(factors, default=1.0) - 1) * numbers.learners / numbers.topic_seconds
        backlog = max(0.0, backlog + inputs + extra - rate)
        waits.append(backlog / rate + LATENCY)
    waits.sort()
    p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    return {
        "requests/s": min(rate, inputs),
        "completions p50": p50,
        "completions p99": p99,
        "progress p99": p99,
    }


def main(words: Sequence[str] = (), seeds: Sequence[int] = SEEDS) -> None:
    """Measure what has one of the words in its name, all without words, and write the page."""

    def is_asked(name: str) -> bool:
        return not words or any(word in name for word in words)

    for seed in seeds:
        for name, (numbers, duration) in WORKLOADS.items():
            for way, measure in ways(name, replace(numbers, seed=seed), duration):
                if is_asked(f"{name}: {way}"):
                    keep("ways", f"{name}: {way}", seed, measure())
        for goal in GOALS:
            if is_asked(goal.name):
                keep("goals", goal.name, seed, {"measured": goal.measure(seed)})
    if is_asked("pictures"):
        pictures()
    write_page(GOALS, WORKLOADS)


def pictures() -> None:
    """The burst, and the economies of 1,000 learners."""
    calm, duration = WORKLOADS["1,000 learners"]
    drawn: dict[str, list[tuple[str, Outcome]]] = {
        "economy-burst": [
            ("burst of five minutes", simulate(scenario(*WORKLOADS["10,000, a burst"], "fresh")))
        ],
        "economy-thrifty": [
            ("fresh", simulate(scenario(calm, duration, "fresh"))),
            ("thrifty, 30 s", simulate(scenario(calm, duration, "thrifty"))),
            ("thrifty, 65 s", simulate(scenario(calm, duration, "thrifty", 65.0))),
        ],
    }
    for name, outcomes in drawn.items():
        draw(outcomes, IMAGES / f"{name}.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
