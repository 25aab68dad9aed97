"""`pointsman check` says what is wrong with the configuration, or what it means."""

from __future__ import annotations

import typer

from pointsman.cli.config_summary import explain
from pointsman.cli.config_warnings import config_warnings
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.table_warnings import table_warnings
from pointsman.config import load


def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Check the configuration and say in plain words what it means.

    Nothing is opened, sent or changed. Every mistake is named with its key, its value and what is
    allowed, all at once; secrets are never shown. Exit code 0 when it is right, 2 when it is not.

    **Example:** `pointsman check --config /etc/pointsman/pointsman.toml`
    """
    settings = load(config)
    typer.echo(f"{config} is right. This is what it means.")
    for heading, lines in explain(settings):
        typer.echo(f"\n{heading}")
        for line in lines:
            typer.echo(f"  {line}")
    warnings = [*config_warnings(settings), *table_warnings(settings)]
    if warnings:
        typer.echo("\nLook again at")
        for warning in warnings:
            typer.echo(f"  ! {warning}")
