"""What several subcommands share: the option --config, and settings or exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pointsman.config import Settings, load
from pointsman.domain.errors import ConfigError

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        envvar="POINTSMAN_CONFIG",
        help="The TOML file. Single settings can come from the environment instead: "
        "POINTSMAN_PLATFORM__URL is url of [platform].",
    ),
]
DEFAULT_CONFIG = Path("pointsman.toml")


def settings_or_exit(config: Path) -> Settings:
    """The settings; or all that is wrong with them on standard error, and exit code 2."""
    with exit_on_config_error():
        return load(config)


@contextmanager
def exit_on_config_error() -> Iterator[None]:
    """Put a `ConfigError`, whoever raises it, on standard error; exit code 2."""
    try:
        yield
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
