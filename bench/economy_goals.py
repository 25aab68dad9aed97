"""The scheduler's goals at the size of a whole instance, in virtual time: what each came to.

`tests/integration/test_scheduler_goals.py` holds the same at small sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pointsman.delivery.settings import DeliverySettings
from pointsman.platforms.settings import PlatformLimits
from pointsman.simulation.model_platform import Span, Weather
from pointsman.simulation.report import latency_of
from pointsman.simulation.run import Outcome, Scenario, simulate
from pointsman.simulation.workload import WorkloadNumbers

QUOTA = 2_500


@dataclass(frozen=True, slots=True)
class Goal:
    """`measure` has a seed, and gives what was measured, which must be at most or at least `goal`.

    `bound` says what could be had at best.
    """

    name: str
    goal: float
    unit: str
    bound: str
    measure: Callable[[int], float]
    at_least: bool = False

    def is_reached(self, value: float) -> bool:
        return value >= self.goal if self.at_least else value <= self.goal


def _run(
    seed: int,
    *,
    learners: int,
    duration: float,
    weather: Weather | None = None,
    others: tuple[WorkloadNumbers, ...] = (),
    topic_seconds: float = 357.0,
    limits: Mapping[str, object] | None = None,
    delivery: Mapping[str, object] | None = None,
) -> Outcome:
    numbers = WorkloadNumbers(
        learners=learners, topic_seconds=topic_seconds, seed=seed, source="small"
    )
    return simulate(
        Scenario(
            numbers,
            others=others,
            weather=weather or Weather(),
            limits=PlatformLimits.model_validate(
                {"requests_per_minute": QUOTA, "share": 1.0, **(limits or {})}
            ),
            delivery=DeliverySettings.model_validate(delivery or {}),
            duration=duration,
        )
    )


def slow_platform(seed: int) -> float:
    """Of the quota, the part that is used of a platform that takes 2 s."""
    outcome = _run(seed, learners=1_000, duration=180, weather=Weather(latency=lambda _, __: 2.0))
    window = Span(60, 180)
    used = sum(at in window for answers in outcome.recorder.requests.values() for at in answers)
    return used / (2 * QUOTA)


def after_an_outage(seed: int) -> float:
    """Seconds until the last completion of a minute without the platform is there."""
    outage = Span(30, 90)
    outcome = _run(seed, learners=1_000, duration=120, weather=Weather(outages=(outage,)))
    series = outcome.recorder.completions
    pairs = zip(series.at, series.seconds, strict=True)
    return max(at - outage.end for at, seconds in pairs if at - seconds in outage)


def refused_tokens(seed: int) -> float:
    """How long half of the completions take while tokens are refused for a while, and after."""
    outcome = _run(seed, learners=1_000, duration=150, weather=Weather(refusals=(Span(60, 75),)))
    return latency_of(outcome.recorder.completions, 60, 120).p50


def competitor(seed: int, *, least: float, most: float) -> float:
    """Answers of 429 with another client that takes a part of the quota."""
    outcome = _run(
        seed,
        learners=1_000,
        duration=1_200,
        weather=Weather(competitor=lambda chance: chance.uniform(least, most)),
        limits={"sharing": "adaptive"},
    )
    return outcome.platform.counts.throttled


def loud_source(seed: int) -> float:
    """By how much a source with 100 times the traffic delays the completions p99 of another."""

    def p99(others: int) -> float:
        loud = WorkloadNumbers(learners=others, topic_seconds=30, seed=seed, source="loud")
        outcome = _run(seed, learners=300, duration=180, others=(loud,), topic_seconds=30)
        return latency_of(outcome.recorder.by_source["small"]).p99

    return p99(30_000) / p99(300) - 1


GOALS = (
    Goal("a platform that takes 2 s: quota used", 0.97, "", "1", slow_platform, at_least=True),
    Goal("outage of 60 s: its completions are there after", 5, "s", "4.0 s", after_an_outage),
    Goal("tokens refused for 15 s: completions p50", 1, "s", "0.15 s", refused_tokens),
    Goal(
        "another client takes 80 %, `adaptive`: 429 in 20 minutes",
        0,
        "",
        "0",
        partial(competitor, least=0.8, most=0.8),
    ),
    Goal(
        "another client takes 0 to 80 %, `adaptive`: 429 in 20 minutes",
        0,
        "",
        "0",
        partial(competitor, least=0.0, most=0.8),
    ),
    Goal("a source with 100 times the traffic: delay of p99", 0.1, "", "0", loud_source),
)
