"""`pointsman verify` adds up the store's books and says whether they balance."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Annotated

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.output import PlainTable, WideOption, print_table
from pointsman.config import load
from pointsman.domain.desired_state import Desired
from pointsman.domain.records import InputOutcome
from pointsman.store.base import Books, StoredDeadLetter


def verify(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the sums as JSON.")] = False,
) -> None:
    """Add up the store's books: is every input, and all desired state, accounted for?

    inputs accepted = applied + superseded + no effect + unmatched + dead

    desired states = delivered + dirty + parked + dropped

    Exit code 0 when both sums are right, 1 when they are not, 3 when the store can't be read. What
    waits for a person, such as parked state, is in balance too, and named with the next step.

    **Example:** `pointsman verify --json | jq .balanced`
    """
    settings = load(config)
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman.commands import books as read_books  # noqa: PLC0415 - not before it is needed
    from pointsman.commands import waits_for_person  # noqa: PLC0415 - not before it is needed

    books = asyncio.run(read_books(settings))
    if as_json:
        typer.echo(json.dumps(books.as_json(), indent=2))
    else:
        waiting = asyncio.run(waits_for_person(settings))
        print_table(_table(books), wide=wide)
        for line in _verdict(books, waiting.parked, waiting.dead_letter):
            typer.echo(line)
    raise typer.Exit(ExitCode.OK if books.balanced else ExitCode.NO)


def _table(books: Books) -> PlainTable:
    table = PlainTable("sum", "part", "count")
    table.columns[2].justify = "right"
    table.add_row("inputs accepted", "", f"{books.accepted:,}", style="bold")
    for outcome, count in books.outcomes.items():
        table.add_row("", outcome.value.replace("_", " "), f"{count:,}")
    table.add_section()
    table.add_row("desired states", "", f"{books.desired:,}", style="bold")
    for part in ("delivered", "dirty", "parked", "dropped"):
        table.add_row("", part, f"{getattr(books, part):,}")
    return table


def _verdict(
    books: Books, parked: Desired | None, dead_letter: StoredDeadLetter | None
) -> Iterator[str]:
    """Whether the books balance, and what in them waits for a person."""
    waiting = list(_waiting(books, parked, dead_letter))
    if not books.balanced:
        yield "The books do NOT balance."
        yield from (f"  ! {problem}" for problem in books.problems)
    else:
        yield "The books balance, but:" if waiting else "The books balance."
    yield from (f"  {line}" for line in waiting)


def _waiting(
    books: Books, parked: Desired | None, dead_letter: StoredDeadLetter | None
) -> Iterator[str]:
    if books.parked:
        yield f"{books.parked:,} parked, and not sent until the cause is removed"
        if parked is not None:
            yield f"    the oldest: {parked.recipient}: {parked.parked}"
        yield "    next: pointsman parked list"
    if unmatched := books.outcomes[InputOutcome.UNMATCHED]:
        yield f"{unmatched:,} unmatched: no rule takes them"
        yield "    next: pointsman unmatched"
    if dead_letter is not None:  # the sum counts those that were dropped too
        yield f"dead letters: inputs that were not understood, such as: {dead_letter.reason}"
        yield "    next: pointsman dead-letters list"
    if books.dirty:
        yield f"{books.dirty:,} dirty: on the way, while the daemon runs"
        yield "    next: pointsman wait delivery"
