"""Prints tables so that nothing in them is cut off, and that each cell is what it says."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console, ConsoleRenderable, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from pointsman.domain.visible_text import visible

WideOption = Annotated[
    bool,
    typer.Option("--wide", help="One line a row, however wide the terminal; so it is when piped."),
]
T = TypeVar("T")
#: characters; wider than any table
_UNLIMITED = 100_000


class PlainTable(Table):
    """A table of texts as they are: `[x]` is no markup, and a line break does not break a row."""

    def __init__(self, *headers: str, title: str | None = None, **more: Any) -> None:
        super().__init__(*headers, title=None if title is None else plain(title), **more)

    def add_row(self, *cells: RenderableType | None, **more: Any) -> None:
        super().add_row(*(plain(cell) if isinstance(cell, str) else cell for cell in cells), **more)


def plain(text: str) -> Text:
    """What can't be seen is written as an escape, as in JSON."""
    return Text(visible(text))


def echo_visible(text: str) -> None:
    """Print lines that hold senders' words."""
    typer.echo(visible(text, keep="\n\t"))


def up_to(rows: list[T], limit: int, *, which: str = "first") -> list[T]:
    """The first `limit` of the rows; where there are more, that is said, and how to see them.

    `which` says what the first are.
    """
    if len(rows) > limit:
        only = f"This is the {which} one" if limit == 1 else f"These are the {which} {limit:,}"
        typer.echo(f"{only}; --limit shows more.", err=True)
    return rows[:limit]


def print_table(renderable: ConsoleRenderable, *, wide: bool = False) -> None:
    """Print a table, or several in a `Group`.

    At a terminal, a table that is too wide is printed as a list, a line or more for each cell;
    `wide`, or piped, each row is one line.
    """
    console = Console()
    # the height too, or a terminal that can't say its size is taken to be 80 wide
    unlimited = Console(width=_UNLIMITED, height=_UNLIMITED)
    if wide or not console.is_terminal:
        unlimited.print(renderable)
    else:
        console.print(_fitting(renderable, unlimited, console.width))


def _fitting(renderable: RenderableType, unlimited: Console, width: int) -> RenderableType:
    if isinstance(renderable, Group):
        return Group(*(_fitting(part, unlimited, width) for part in renderable.renderables))
    if not isinstance(renderable, Table):
        return renderable
    needed = Measurement.get(unlimited, unlimited.options, renderable).maximum
    if needed > width and renderable.show_header:
        return _as_list(renderable)
    return _folded(renderable)


def _folded(table: Table) -> Table:
    """With long words broken over lines, where the default cuts them with an ellipsis."""
    for column in table.columns:
        column.overflow = "fold"
    return table


def _as_list(table: Table) -> Group:
    """Each row by itself, its cells one below the other with their headers before them."""
    headers = [column.header for column in table.columns]
    rows = zip(*(column.cells for column in table.columns), strict=True)
    parts: list[RenderableType] = [] if table.title is None else [table.title]
    for row in rows:
        grid = Table.grid("header", "cell", padding=(0, 2, 0, 0))
        grid.columns[0].style = "bold"
        for header, cell in zip(headers, row, strict=True):
            grid.add_row(header, cell)
        parts += [_folded(grid), ""]
    return Group(*parts)
