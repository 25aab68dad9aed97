"""What subcommands share: the option --config, settings or exit code 2, and use of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from pointsman.config import Settings, load
from pointsman.domain.errors import ConfigError, Retry
from pointsman.store.base import Store

T = TypeVar("T")

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
    with config_error_exit():
        return load(config)


@contextmanager
def config_error_exit() -> Iterator[None]:
    """Print a `ConfigError` on standard error, and exit with code 2."""
    try:
        yield
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def ask_store(settings: Settings, use: Callable[[Store], Awaitable[T]]) -> T:
    """What `use` returns; exit code 2 where there is no store, 3 where it can't be used now."""
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman.commands import with_store  # noqa: PLC0415

    try:
        with config_error_exit():
            return asyncio.run(with_store(settings, use))
    except Retry as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from None
