"""Prints tables so that nothing in them is cut off."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console, ConsoleRenderable, Group
from rich.table import Table

WideOption = Annotated[
    bool,
    typer.Option("--wide", help="One line a row, however wide the terminal; so it is when piped."),
]
#: characters; wider than any table
_UNLIMITED = 100_000


def print_table(renderable: ConsoleRenderable, *, wide: bool = False) -> None:
    """Print a table, or several in a `Group`.

    At a terminal, cells are broken over lines to fit; `wide`, or piped, each row is one line.
    """
    _fold(renderable)
    console = Console()
    if wide or not console.is_terminal:
        # the height too, or a terminal that can't say its size is taken to be 80 wide
        console = Console(width=_UNLIMITED, height=_UNLIMITED)
    console.print(renderable)


def _fold(renderable: object) -> None:
    """Break long words over lines, where the default cuts them with an ellipsis."""
    if isinstance(renderable, Group):
        for part in renderable.renderables:
            _fold(part)
    if isinstance(renderable, Table):
        for column in renderable.columns:
            column.overflow = "fold"
