"""`pointsman run` runs the daemon."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import typer

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.config import load


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the daemon until SIGTERM or Ctrl-C, then drain and stop.

    It takes statements at /xapi/statements and from Kafka, and answers /healthz, /readyz and
    /metrics. What was answered with 2xx is on disk: it can be killed at any moment.

    A changed configuration is taken on while it runs, all of it or nothing: `pointsman reload`.

    Exit code 0 when it was asked to stop, during its start too; 2 when a setting is wrong; 3 when
    the store did not answer at the start, or its file is not sound; 143 or 130 when a second
    SIGTERM or Ctrl-C ended it at once.

    **Example:** `POINTSMAN_LOGGING__FORMAT=console pointsman run -c pointsman.toml`
    """
    with _ended_by_sigterm():
        settings = load(config)
        # not before it is needed: the other commands need not load the whole daemon
        from pointsman.process import run as run_daemon  # noqa: PLC0415 - not before it is needed

        raise typer.Exit(run_daemon(settings, Path(config)))


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Until the daemon hears signals itself; a container's first process ignores them otherwise."""
    before = signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
