"""`pointsman run` runs the daemon."""

from __future__ import annotations

import typer

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption, config_error_exit, settings_or_exit
from pointsman.domain.errors import StoreUnavailable


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the daemon until SIGTERM or Ctrl-C, then drain and stop.

    It takes statements at /xapi/statements and from Kafka, and answers /healthz, /readyz and
    /metrics. What was answered with 2xx is on disk: it can be killed at any moment.

    **Example:** `POINTSMAN_LOGGING__FORMAT=console pointsman run -c pointsman.toml`
    """
    settings = settings_or_exit(config)
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman.app import run as run_daemon  # noqa: PLC0415

    try:
        with config_error_exit():
            raise typer.Exit(run_daemon(settings))
    except StoreUnavailable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from None
