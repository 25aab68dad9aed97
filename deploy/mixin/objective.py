"""The objective: a completion is on the platform within 60 s of its arrival, 99.9 % over 30 days.

Alerts on how fast its error budget burns, each over a long window that shows it matters and a short
one that shows it goes on (The Site Reliability Workbook, "Alerting on SLOs").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deploy.mixin.queries import rate

TARGET = 0.999
#: a bucket of pointsman_completion_delivery_seconds, in seconds
WITHIN = "60.0"
PERIOD = "30d"


@dataclass(frozen=True, slots=True)
class Burn:
    """The budget burns `factor` times as fast as it may, over both windows."""

    factor: float
    long: str
    short: str
    severity: str
    hold: str


BURNS = (
    Burn(14.4, "1h", "5m", "critical", "2m"),
    Burn(6, "6h", "30m", "critical", "15m"),
    Burn(3, "1d", "2h", "warning", "1h"),
    Burn(1, "3d", "6h", "warning", "3h"),
)


#: the second objective: what is delivered is confirmed by the platform within 5 minutes of its
#: arrival, 99 % over an hour; a bucket of pointsman_completion_stage_seconds, in seconds
CONFIRMED_WITHIN = "300.0"
UNCONFIRMED = "namespace_job:pointsman_completion_unconfirmed:ratio_rate1h"
UNCONFIRMED_AT_MOST = 0.01


def late(window: str) -> str:
    """The recorded part of completions that came later, over a window."""
    return f"namespace_job:pointsman_completion_late:ratio_rate{window}"


def recording_rules() -> list[dict[str, Any]]:
    windows = [*(burn.short for burn in BURNS), *(burn.long for burn in BURNS), PERIOD]
    in_time = f'pointsman_completion_delivery_seconds_bucket{{le="{WITHIN}"}}'
    every = "pointsman_completion_delivery_seconds_count"
    stages = "pointsman_completion_stage_seconds"
    confirmed = f'{stages}_bucket{{stage="confirmed",le="{CONFIRMED_WITHIN}"}}'
    delivered = f'{stages}_count{{stage="delivered"}}'
    of_all = f"1 - {rate(confirmed, '1h')} / {rate(delivered, '1h')}"
    return [
        {"record": UNCONFIRMED, "expr": of_all},
    ] + [
        {"record": late(window), "expr": f"1 - {rate(in_time, window)} / {rate(every, window)}"}
        for window in dict.fromkeys(windows)
    ]


def burning(burn: Burn) -> str:
    allowed = f"({burn.factor:g} * {1 - TARGET:.3g})"
    return f"{late(burn.long)} > {allowed} and {late(burn.short)} > {allowed}"
