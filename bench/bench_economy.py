"""Ways of sending, on the same workloads: naive, batched, first-come, pointsman, and the bound.

`python -m bench.bench_economy` prints a table; with a folder, it draws too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pointsman.delivery.settings import DeliverySettings
from pointsman.platforms.settings import PlatformLimits
from pointsman.simulation.ideal import first_come, run_slots, urgent_first
from pointsman.simulation.picture import draw
from pointsman.simulation.recorder import Series
from pointsman.simulation.report import latency_of
from pointsman.simulation.run import Outcome, Scenario, simulate
from pointsman.simulation.workload import Burst, WorkloadNumbers

SEEDS = (1, 2, 3)
QUOTA, LATENCY = 2_500, 0.15
#: a batching sender gathers a learner's inputs for so many seconds
GATHER = 30.0

WORKLOADS = {
    "1,000 learners": (WorkloadNumbers(learners=1_000), 900.0),
    "2,500 learners": (WorkloadNumbers(learners=2_500), 900.0),
    "10,000 learners": (WorkloadNumbers(learners=10_000), 1_800.0),
    "10,000, a burst": (
        WorkloadNumbers(learners=10_000, bursts=(Burst(600, 300, 5),)),
        1_800.0,
    ),
}

Row = tuple[float, float, float, float]


def scenario(numbers: WorkloadNumbers, duration: float, economy: str) -> Scenario:
    """Ours, with the whole quota."""
    return Scenario(
        numbers,
        limits=PlatformLimits(requests_per_minute=QUOTA, share=1.0),
        delivery=DeliverySettings.model_validate({"economy": economy}),
        duration=duration,
    )


def ways(numbers: WorkloadNumbers, duration: float) -> Iterable[tuple[str, Callable[[], Row]]]:
    """What is compared, each with its (requests/s, completions p50, p99, progress p99)."""
    slots = {"requests_per_minute": QUOTA, "duration": duration, "latency": LATENCY}

    def ideal(order: Callable[[float, float], tuple[float, float]], gather: float = 0.0) -> Row:
        result = run_slots(numbers, order=order, gather=gather, **slots)
        return row(result.requests_per_second, result.completions, result.progress)

    def ours(economy: str) -> Row:
        outcome = simulate(scenario(numbers, duration, economy))
        requests = outcome.platform.counts.requests / duration
        return row(requests, outcome.recorder.completions, outcome.recorder.progress)

    yield "naive: a request for each input", lambda: naive(numbers, duration)
    yield f"batched: a learner's inputs of {GATHER:g} s", lambda: ideal(first_come, GATHER)
    yield "first-come: a learner's state, by age", lambda: ideal(first_come)
    yield "pointsman, fresh", lambda: ours("fresh")
    yield "pointsman, thrifty", lambda: ours("thrifty")
    yield "the bound", lambda: ideal(urgent_first)


def row(requests: float, completions: Series, progress: Series) -> Row:
    """The figures of one way."""
    done, partial = latency_of(completions), latency_of(progress)
    return requests, done.p50, done.p99, partial.p99


def naive(numbers: WorkloadNumbers, duration: float) -> Row:
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
    return min(rate, inputs), p50, p99, p99


def main(folder: Path | None = None, seeds: Sequence[int] = SEEDS) -> None:
    """Print the table: of three seeds, the worst of each figure."""
    print("| workload | way | requests/s | completions p50 | p99 | progress p99 |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (numbers, duration) in WORKLOADS.items():
        seeded = [numbers_of(numbers, seed) for seed in seeds]
        results: dict[str, list[Row]] = {}
        for one in seeded:
            for way, measure in ways(one, duration):
                results.setdefault(way, []).append(measure())
        for way, rows in results.items():
            worst = [max(column) for column in zip(*rows, strict=True)]
            figures = " | ".join(f"{value:,.4g} s" for value in worst[1:])
            print(f"| {name} | {way} | {worst[0]:.1f} | {figures} |", flush=True)
    if folder is not None:
        pictures(folder)


def numbers_of(numbers: WorkloadNumbers, seed: int) -> WorkloadNumbers:
    """The same workload on another day."""
    return replace(numbers, seed=seed)


def pictures(folder: Path) -> None:
    """The burst, and the two economies of 1,000 learners, as SVG and PNG."""
    burst = [
        ("a burst of five minutes", simulate(scenario(*WORKLOADS["10,000, a burst"], "fresh")))
    ]
    few = [
        (economy, simulate(scenario(*WORKLOADS["1,000 learners"], economy)))
        for economy in ("fresh", "thrifty")
    ]
    drawn: list[tuple[str, list[tuple[str, Outcome]]]] = [("burst", burst), ("economy", few)]
    for name, outcomes in drawn:
        for ending in ("svg", "png"):
            draw(outcomes, folder / f"{name}.{ending}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
