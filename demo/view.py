"""The live view: what the daemon's own metrics say, next to what was sent."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from rich.table import Table

#: courses of which the platform said by itself that they are completed
CONFIRMED = "pointsman_platform_facts_total:completed"


@dataclass
class Numbers:
    """The daemon's counters and gauges, summed over their labels."""

    values: dict[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        return self.values.get(name, 0.0)


async def read_metrics(session: aiohttp.ClientSession, url: str) -> Numbers:
    """One scrape; sums by sample name, `pointsman_desired` also by its state."""
    async with session.get(f"{url}/metrics") as answer:
        text = await answer.text()
    numbers = Numbers()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            names = [sample.name]
            if state := sample.labels.get("state"):
                names.append(f"{sample.name}:{state}")
            if result := sample.labels.get("result"):
                names.append(f"{sample.name}:{result}")
            if fact := sample.labels.get("fact"):
                names.append(f"{sample.name}:{fact}")
            if "le" in sample.labels:
                names = [f"{sample.name}:{sample.labels['le']}"]
            for name in names:
                numbers.values[name] = numbers[name] + sample.value
    return numbers


def quantile(numbers: Numbers, histogram: str, part: float) -> str:
    """About the quantile of a histogram, as the upper bound of its bucket."""
    prefix = f"{histogram}_bucket:"
    buckets = sorted(
        (float(name.removeprefix(prefix)), value)
        for name, value in numbers.values.items()
        if name.startswith(prefix)
    )
    if not buckets or not buckets[-1][1]:
        return "-"
    wanted = buckets[-1][1] * part
    return next(f"<= {bound:g} s" for bound, count in buckets if count >= wanted)


def picture(numbers: Numbers, sent: dict[str, int], started: float) -> Table:
    """The table that is drawn again and again."""
    table = Table(title=f"pointsman demo, {time.monotonic() - started:.0f} s", min_width=58)
    table.add_column("what")
    table.add_column("count", justify="right")
    inputs = ("applied", "superseded", "no_effect", "unmatched", "dead", "duplicate")
    rows = [
        ("statements sent by players (HTTP)", sent["http"]),
        ("statements sent through Kafka", sent["kafka"]),
        *(
            (f"  {name.replace('_', ' ')}", numbers[f"pointsman_inputs_total:{name}"])
            for name in inputs
        ),
        ("dirty: still to be delivered", numbers["pointsman_desired:dirty"]),
        ("parked", numbers["pointsman_desired:parked"]),
        ("mutations sent", numbers["pointsman_mutations_total"]),
        ("points spent", numbers["pointsman_points_spent_total"]),
        ("requests spent", numbers["pointsman_requests_spent_total"]),
        ("requests left in this window", numbers["pointsman_requests_left"]),
        ("completed courses, confirmed by webhooks", numbers[CONFIRMED]),
    ]
    for name, value in rows:
        table.add_row(name, f"{value:,.0f}")
    latency = "pointsman_arrival_to_platform_seconds"
    table.add_row("arrival -> platform, median", quantile(numbers, latency, 0.5))
    table.add_row("arrival -> platform, 95 of 100", quantile(numbers, latency, 0.95))
    return table
