"""One process and replicas of it that share a quota, on the same learners, in virtual time.

`python -m bench.bench_replicas` prints how long completions take.
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from pointsman.platforms.settings import PlatformLimits
from pointsman.simulation.report import latency_of
from pointsman.simulation.run import Scenario
from pointsman.simulation.workload import WorkloadNumbers
from tests.support.virtual_replicas import run_replicas

#: seconds
DURATION = 130.0
#: (how many, seconds that a transaction takes)
FLEETS = ((0, 0.0), (1, 0.004), (2, 0.004), (3, 0.004), (2, 0.02))


def main() -> None:
    table = Table(
        "",
        "a transaction",
        "p50",
        "p95",
        "p99",
        "requests/s",
        "transactions/s",
        title="Completions of replicas that share a quota, in virtual time (the same in each run)",
    )
    for replicas, seconds in FLEETS:
        scenario = Scenario(
            WorkloadNumbers(learners=5_000),
            limits=PlatformLimits(share=1.0),
            duration=DURATION,
        )
        recorder, platform, database = run_replicas(scenario, replicas, seconds=seconds)
        took = latency_of(recorder.completions, 20, DURATION - 20)
        table.add_row(
            f"{replicas} replicas" if replicas else "one process",
            f"{1_000 * seconds:.0f} ms" if replicas else "",
            *(f"{percentile:.3f} s" for percentile in (took.p50, took.p95, took.p99)),
            f"{platform.counts.requests / DURATION:.2f}",
            f"{database.asked / DURATION:.1f}",
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
