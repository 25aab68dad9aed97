"""The rendered dashboards, as a test reads them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.support.promtool import MIXIN

FILES = sorted((MIXIN / "dashboards_out").glob("*.json"))
#: a metric of ours or of the process, by the name that it has in a query
METRIC = re.compile(r"\b(?:pointsman|process|python)_[a-z0-9_]+\b")
#: what an expression selects: a metric, with its matchers in braces where it has any
SELECTOR = re.compile(rf"({METRIC.pattern})(?!:)(\{{[^}}]*\}})?")


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One query of one panel."""

    dashboard: str
    panel: str
    expr: str

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel}"

    def asked(self, *, namespace: str = ".*", source: str = ".*", window: str = "5m") -> str:
        """With the variables put in, as Grafana does."""
        chosen = {"$namespace": namespace, "$instance": ".*", "$source": source}
        text = self.expr.replace("$__rate_interval", window)
        for name, value in chosen.items():
            text = text.replace(name, value)
        return text


def read(name: str) -> dict[str, Any]:
    board: dict[str, Any] = json.loads((MIXIN / "dashboards_out" / f"{name}.json").read_text())
    return board


def queries() -> list[PanelQuery]:
    return [
        PanelQuery(path.stem, panel["title"], target["expr"])
        for path in FILES
        for panel in read(path.stem)["panels"]
        for target in panel.get("targets", [])
    ]


def selectors(expr: str) -> list[str]:
    """What of our metrics an expression selects; names in recording rules are no metrics."""
    recorded = re.compile(r"\b[a-z_]+:[a-z_:0-9]+")
    return ["".join(found) for found in SELECTOR.findall(recorded.sub("", expr))]
