"""The dashboards, each in the module of its name."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.mixin.dashboards.budget import budget
from deploy.mixin.dashboards.flow import flow
from deploy.mixin.dashboards.health import health
from deploy.mixin.dashboards.players import players


def dashboards() -> dict[str, Dashboard]:
    return {"flow": flow(), "budget": budget(), "players": players(), "health": health()}
