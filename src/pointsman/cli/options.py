"""What subcommands share: the option --config, and use of the store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from pointsman.config import Settings
from pointsman.domain.operator_actions import OperatorAction
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


def output_path(path: Path, option: str) -> Path:
    """A file that the command writes at its end, looked at before it begins."""
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; name a file in it", param_hint=option)
    if not path.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}; make it", param_hint=option)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise typer.BadParameter(f"{path} can't be written; look at its rights", param_hint=option)
    return path


def change_store(
    settings: Settings,
    action: OperatorAction,
    use: Callable[[Store], Awaitable[T]],
    outcome: Callable[[T], str],
) -> T:
    """As `ask_store`, on the record: what was begun, and its outcome in words."""
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman.commands import recorded  # noqa: PLC0415 - not before it is needed

    return ask_store(settings, recorded(action, use, outcome))


def ask_store(settings: Settings, use: Callable[[Store], Awaitable[T]]) -> T:
    """What `use` returns. Raises `ConfigError` where there is no store, `Retry` when it is away."""
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman.commands import with_store  # noqa: PLC0415 - not before it is needed

    return asyncio.run(with_store(settings, use))
