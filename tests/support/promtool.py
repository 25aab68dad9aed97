"""Prometheus' own programs, and what pages of the daemon's metrics make its rules do."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.samples import Sample

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits
from pointsman.store.base import Backlog
from pointsman.telemetry.initial_series import KnownLabels
from pointsman.telemetry.metrics import Metrics

MIXIN = Path(__file__).parents[2] / "deploy" / "mixin"
LIMITS = QuotaLimits(points=1000, requests=100, guard=0.2, window=60)
RULES = ("prometheus_rules.yaml", "prometheus_alerts.yaml")


def program(name: str) -> str:
    """`promtool` or `prometheus`; without it the test is skipped."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"no {name} here; Debian's package prometheus has it")
    return path


def run(*arguments: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [program("promtool"), *arguments], input=text, capture_output=True, check=False
    )


@dataclass(slots=True)
class Replica:
    """One replica's metrics, and what it shows of store, budget and platform when scraped."""

    metrics: Metrics
    name: str
    namespace: str
    backlog: Backlog | None = field(default_factory=lambda: Backlog({}, {}, 0, 0, None))
    left: QuotaLeft = field(default_factory=lambda: QuotaLeft(900, 90))
    out: bool = False
    up: bool = True
    #: microseconds, and what the pages count ages from
    now: int = 10_000_000_000

    def stored(self, **changes: Any) -> None:
        assert self.backlog is not None
        self.backlog = replace(self.backlog, **changes)

    def samples(self) -> dict[str, float]:
        """Values by series, with the labels that a scrape adds."""
        scraped = (self.namespace, self.name)
        shown = {_series("up", (), *scraped): float(self.up)}
        if not self.up:
            return shown
        self.metrics.show(self.backlog, self.left, self.now, out=self.out)
        for family in self.metrics.registry.collect():
            if not family.name.startswith(("python_", "process_")):
                one: Sample
                for one in family.samples:
                    shown[_series(one.name, tuple(one.labels.items()), *scraped)] = one.value
        return shown


#: what happens in a minute
Story = Callable[[Replica, int], None]


def tell(
    story: Story,
    minutes: int,
    known: KnownLabels,
    replicas: int = 1,
    namespace: str = "learning",
) -> list[dict[str, str]]:
    """The `input_series` of promtool: a scrape a minute, each after what happened in it."""
    told = [
        Replica(Metrics(known, LIMITS), f"pod-{number}", namespace) for number in range(replicas)
    ]
    values: dict[str, list[str]] = {}
    for minute in range(minutes):
        seen: set[str] = set()
        for replica in told:
            story(replica, minute)
            for series, value in replica.samples().items():
                # missing before it was first seen
                values.setdefault(series, ["_"] * minute).append(repr(value))
                seen.add(series)
        for series in values.keys() - seen:
            values[series].append("_")
    return [{"series": name, "values": " ".join(one)} for name, one in values.items()]


@dataclass(frozen=True, slots=True)
class Case:
    """Series as `tell` gives them, and what promtool must find in them."""

    series: Sequence[dict[str, str]]
    expectations: Sequence[dict[str, Any]]


def evaluate(folder: Path, *cases: Case) -> str:
    """What `promtool test rules` complains of; "" when all is as expected."""
    tests = [
        {
            "interval": "1m",
            "input_series": list(case.series),
            "promql_expr_test": list(case.expectations),
        }
        for case in cases
    ]
    path = folder / "test.yaml"
    rules = [str(MIXIN / name) for name in RULES]
    # JSON is YAML, and is written in no time
    path.write_text(json.dumps({"rule_files": rules, "evaluation_interval": "1m", "tests": tests}))
    done = run("test", "rules", str(path))
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()


def expect(expr: str, minute: int, *samples: tuple[str, float]) -> dict[str, Any]:
    """`samples` are labels and value, as `expr` gives them after `minute`."""
    return {
        "expr": expr,
        "eval_time": f"{minute}m",
        "exp_samples": [{"labels": labels, "value": value} for labels, value in samples],
    }


def firing(minute: int, *alerts: str) -> dict[str, Any]:
    """Exactly these alerts fire after `minute`; `NAME/WINDOW` where one has several windows."""
    labels = []
    for alert in alerts:
        name, _, window = alert.partition("/")
        more = f', window="{window}"' if window else ""
        labels.append((f'{{alertname="{name}"{more}}}', 1.0))
    return expect('group by (alertname, window) (ALERTS{alertstate="firing"})', minute, *labels)


@cache
def _series(name: str, labels: tuple[tuple[str, str], ...], namespace: str, instance: str) -> str:
    scraped = {"job": "pointsman", "namespace": namespace, "instance": instance}
    inside = ",".join(
        f'{key}="{value}"' for key, value in sorted({**dict(labels), **scraped}.items())
    )
    return f"{name}{{{inside}}}"
