"""`pointsman verify` adds up the store's books and says whether they balance."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption, config_error_exit, settings_or_exit
from pointsman.domain.errors import PointsmanError
from pointsman.store.base import Books


def verify(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the sums as JSON.")] = False,
) -> None:
    """Add up the store's books: is every input, and all desired state, accounted for?

    inputs accepted = applied + superseded + no effect + unmatched + dead

    desired states = delivered + dirty + parked

    Exit code 0 when both sums are right, 1 when they are not, 3 when the store can't be read.

    **Example:** `pointsman verify --json | jq .balanced`
    """
    settings = settings_or_exit(config)
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman.commands import books as read_books  # noqa: PLC0415

    try:
        with config_error_exit():
            books = asyncio.run(read_books(settings))
    except PointsmanError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from None
    if as_json:
        typer.echo(json.dumps(books.as_json(), indent=2))
    else:
        Console().print(_table(books))
        typer.echo("The books balance." if books.balanced else "The books do NOT balance.")
        for problem in books.problems:
            typer.echo(f"  ! {problem}")
    raise typer.Exit(0 if books.balanced else 1)


def _table(books: Books) -> Table:
    table = Table("sum", "part", "count")
    table.columns[2].justify = "right"
    table.add_row("inputs accepted", "", f"{books.accepted:,}", style="bold")
    for outcome, count in books.outcomes.items():
        table.add_row("", outcome.value.replace("_", " "), f"{count:,}")
    table.add_section()
    table.add_row("desired states", "", f"{books.desired:,}", style="bold")
    for part in ("delivered", "dirty", "parked"):
        table.add_row("", part, f"{getattr(books, part):,}")
    return table
