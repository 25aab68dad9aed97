"""`pointsman run` runs the daemon."""

from __future__ import annotations

import typer

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.config import load


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the daemon until SIGTERM or Ctrl-C, then drain and stop.

    It takes statements at /xapi/statements and from Kafka, and answers /healthz, /readyz and
    /metrics. What was answered with 2xx is on disk: it can be killed at any moment.

    **Example:** `POINTSMAN_LOGGING__FORMAT=console pointsman run -c pointsman.toml`
    """
    settings = load(config)
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman.app import run as run_daemon  # noqa: PLC0415

    raise typer.Exit(run_daemon(settings))
