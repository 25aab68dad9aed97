"""What the mixin renders to: file names and their text."""

from __future__ import annotations

import json
from typing import Any

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.mixin.alerts import RUNBOOK, alerts
from deploy.mixin.dashboards import dashboards
from deploy.mixin.objective import recording_rules

_HEAD = "# Rendered by `python -m deploy.mixin`; change deploy/mixin/*.py instead.\n"


def render(runbook: str = RUNBOOK) -> dict[str, str]:
    """Text by path in this folder. `runbook` is where docs/runbook.md is published."""
    rules = [{"name": "pointsman.rules", "rules": recording_rules()}]
    alerting = [{"name": "pointsman.alerts", "rules": [one.rule(runbook) for one in alerts()]}]
    return {
        "prometheus_rules.yaml": _yaml({"groups": rules}),
        "prometheus_alerts.yaml": _yaml({"groups": alerting}),
        **{
            f"dashboards_out/{name}.json": json.dumps(board, cls=JSONEncoder, indent=2) + "\n"
            for name, board in dashboards().items()
        },
    }


def _yaml(value: dict[str, Any]) -> str:
    return _HEAD + yaml.safe_dump(value, sort_keys=False, width=100, allow_unicode=True)
