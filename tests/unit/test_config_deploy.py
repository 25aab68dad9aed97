"""What `deploy/` asks of the daemon is what the daemon has: settings, deadlines, metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from pointsman.config import load
from pointsman.telemetry.metrics import Metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
_SERIES = {"counter": "_total", "gauge": "", "histogram": "_bucket"}


@pytest.mark.parametrize(
    ("folder", "pod", "secrets", "store"),
    [
        ("kubernetes", "statefulset", ("api_key", "player_secret"), "sqlite:////data/pointsman.db"),
        (
            "replicas",
            "deployment",
            ("api_key", "player_secret", "store_password"),
            "postgresql://pointsman@postgres:5432/pointsman?sslmode=require",
        ),
    ],
)
def test_the_configuration_for_kubernetes_is_right(
    tmp_path: Path, folder: str, pod: str, secrets: tuple[str, ...], store: str
) -> None:
    manifests = DEPLOY / folder
    (tmp_path / "tokens.json").write_text("{}")
    for name in secrets:
        assert f"  {name}: replace-me" in (manifests / "secret.example.yaml").read_text()
        (tmp_path / name).write_text("secret")
    _, _, text = (manifests / "configmap.yaml").read_text().partition("pointsman.toml: |\n")
    path = tmp_path / "pointsman.toml"
    path.write_text(dedent(text).replace("/etc/pointsman-secrets", str(tmp_path)))

    settings = load(path)

    assert settings.store.url == store
    text = (manifests / f"{pod}.yaml").read_text()
    grace = int(text.partition("terminationGracePeriodSeconds:")[2].split()[0])
    assert grace > settings.http.drain_seconds


def expressions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("expr"), str):
            yield node["expr"]
        for child in node.values():
            yield from expressions(child)
    elif isinstance(node, list):
        for child in node:
            yield from expressions(child)


@pytest.mark.parametrize("file", ["grafana/pointsman.json", "prometheus/alerts.yaml"])
def test_dashboard_and_alerts_ask_for_metrics_that_exist(file: str) -> None:
    text = (DEPLOY / file).read_text()
    if file.endswith(".json"):
        text = "\n".join(expressions(json.loads(text)))
    asked = set(re.findall(r"\bpointsman_[a-z_]+", text))
    shown = {family.name + _SERIES[family.type] for family in Metrics().registry.collect()}

    assert asked
    assert asked <= shown
