"""What commands share that look into the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from pointsman.cli.options import refusing
from pointsman.config import Settings
from pointsman.domain.errors import Retry
from pointsman.store.base import Store

T = TypeVar("T")


def ask_store(settings: Settings, use: Callable[[Store], Awaitable[T]]) -> T:
    """What `use` returns; exit code 2 where there is no store, 3 where it can't be used now."""
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman.commands import with_store  # noqa: PLC0415

    try:
        with refusing():
            return asyncio.run(with_store(settings, use))
    except Retry as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from None
