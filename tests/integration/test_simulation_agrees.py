"""What `pointsman simulate` says of a trace is what delivering it comes to.

The same input, here of the demo's heartbeats, goes through SQLite and the emulator on one side and
through the simulation on the other. `python -m tests.soak simulated` does it in real time, over
HTTP.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.traffic import heartbeats
from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.delivery.settings import DeliverySettings
from pointsman.domain.records import Submission
from pointsman.platforms.settings import PlatformLimits
from pointsman.simulation.model_platform import Weather
from pointsman.simulation.report import Latency, report_of
from pointsman.simulation.run import Scenario, simulate_trace
from tests.support.change_factory import change, topic, wants
from tests.support.virtual_delivery import VirtualDelivery, catalogue
from tests.support.virtual_time import EPOCH, run_virtually

LEARNERS, TOPICS, QUOTA = 40, 4, 100
#: seconds between two statements
EVERY = 0.1
WITHIN = 0.1


def submissions() -> list[Submission]:
    """The demo's heartbeats, one after another."""
    emails = [f"l{number}@example.com" for number in range(LEARNERS)]
    messages, _ = heartbeats(emails, 8, random.Random(7))
    topics: dict[str, str] = {}
    made = []
    for number, message in enumerate(messages):
        statement = json.loads(message)
        activity = topics.setdefault(statement["object"]["id"], f"t{len(topics)}")
        result = statement["result"]
        percent = 100 if result.get("completion") else next(iter(result["extensions"].values()))
        at = round((EPOCH + number * EVERY) * 1e6)
        learner = statement["actor"]["mbox"].removeprefix("mailto:")
        asked = change(learner, topic(activity), percent, at=number, statement_id=statement["id"])
        made.append(wants(asked, at=at))
    return made


def delivered(folder: Path, traffic: Sequence[Submission]) -> tuple[int, Latency]:
    """How many requests it takes, and how long completions, with the real store and platform."""
    seconds: list[float] = []

    def note(record: DeliveryRecord) -> None:
        seconds.extend(
            one.completion_seconds for one in record.latencies if one.completion_seconds is not None
        )

    async def main() -> int:
        async with VirtualDelivery(
            folder,
            catalogue(LEARNERS, TOPICS),
            requests=QUOTA,
            share=0.8,
            progress_interval=2,
            latency=0.075,
        ) as sim:
            sim.dispatcher._settling._on_delivery = note
            sim.tokens.kept = True
            for submission in traffic:
                await sim.clock.sleep(submission.received_at / 1e6 - sim.clock.now())
                await sim.ingest(submission)
            await sim.settle()
            return sim.requests

    requests = run_virtually(main())
    return requests, Latency.of(seconds)


def test_a_trace_takes_as_many_requests_and_as_long_as_delivering_it(tmp_path: Path) -> None:
    traffic = submissions()
    requests, completions = delivered(tmp_path, traffic)
    scenario = Scenario(
        weather=Weather(latency=lambda _, __: 0.15),
        limits=PlatformLimits(requests_per_minute=QUOTA, share=0.8, window_guard_seconds=0.2),
        delivery=DeliverySettings(progress_interval_seconds=2),
    )
    outcome = simulate_trace(scenario, traffic)
    report = report_of("simulated", outcome)
    assert completions.count == report.completions.count > 50
    assert outcome.platform.counts.requests == pytest.approx(requests, rel=WITHIN)
    assert report.completions.p50 == pytest.approx(completions.p50, rel=WITHIN)
    assert report.completions.p95 == pytest.approx(completions.p95, rel=WITHIN)
