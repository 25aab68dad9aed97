"""`pointsman dead-letters` lists inputs that were not understood, reads them again, drops them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.operator_identity import begun
from pointsman.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    ask_store,
    change_store,
)
from pointsman.cli.output import PlainTable, WideOption, echo_visible, print_table, up_to
from pointsman.cli.times import iso_time
from pointsman.config import load
from pointsman.domain.operator_actions import ActionKind
from pointsman.store.base import Store, StoredDeadLetter

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Inputs that could not be understood: see them, read them again, drop them.",
)

_PAGE = 500
Numbers = Annotated[list[int] | None, typer.Argument(help="Which; `list` shows the numbers.")]
SourceOption = Annotated[str | None, typer.Option("--source", help="Only of this source.")]
ReasonOption = Annotated[
    str,
    typer.Option("--reason", help="Only where the reason begins so."),
]
AllOption = Annotated[bool, typer.Option("--all", help="All that the other options leave.")]


@app.command("list")
def list_(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    source: SourceOption = None,
    reason: ReasonOption = "",
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most.")] = 100,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show dead letters, the oldest first, with where they came from and why they are dead.

    **Example:** `pointsman dead-letters list --source lessons`
    """
    letters = ask_store(
        load(config),
        lambda store: store.dead_letters(reason_prefix=reason, source=source, limit=limit + 1),
    )
    letters = up_to(letters, limit)
    if as_json:
        typer.echo(json.dumps([_as_json(letter) for letter in letters], indent=2))
    elif letters:
        table = PlainTable("number", "source", "origin", "arrived", "reason")
        for letter in letters:
            table.add_row(
                str(letter.id),
                letter.source,
                letter.origin,
                iso_time(letter.received_at),
                letter.reason,
            )
        print_table(table, wide=wide)
    else:
        typer.echo("There are no dead letters.")


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="Its number, as `list` shows it.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show one dead letter with its body, as it came.

    **Example:** `pointsman dead-letters show 17`
    """
    letter = ask_store(load(config), lambda store: store.dead_letter(number))
    if letter is None:
        typer.echo(f"there is no dead letter {number}", err=True)
        raise typer.Exit(ExitCode.NO)
    for name, value in _as_json(letter).items():
        echo_visible(f"{name}: {value}")
    typer.echo()
    echo_visible(letter.body.decode("utf-8", "backslashreplace"))


@app.command()
def replay(
    numbers: Numbers = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    source: SourceOption = None,
    reason: ReasonOption = "",
    everything: AllOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it, change nothing.")] = False,
) -> None:
    """Read dead letters again, with the rules and limits of now; what is understood is applied.

    **Example:** `pointsman dead-letters replay --reason 'its rule failed'`
    """
    settings = load(config)
    _must_say_which(numbers, source, reason, everything=everything)
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman.commands import replay_letters  # noqa: PLC0415 - not before it is needed

    count = 0

    def on_letter(number: int, words: str) -> None:
        nonlocal count
        count += 1
        echo_visible(f"{number}: {words}")

    async def choose(store: Store) -> Sequence[int]:
        return numbers or await _matching_numbers(store, source, reason)

    action = begun(ActionKind.DEAD_LETTERS_REPLAY, _asked(numbers, source, reason))
    asyncio.run(replay_letters(settings, None if dry_run else action, choose, on_letter))
    if dry_run:
        typer.echo("Nothing was changed: this was a dry run.")
    else:
        typer.echo(f"{count} read again")


@app.command()
def drop(
    numbers: Numbers = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    source: SourceOption = None,
    reason: ReasonOption = "",
    everything: AllOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Forget dead letters for good. The books go on counting them.

    **Example:** `pointsman dead-letters drop 17 18`
    """
    settings = load(config)
    _must_say_which(numbers, source, reason, everything=everything)

    async def choose(store: Store) -> Sequence[int]:
        return numbers or await _matching_numbers(store, source, reason)

    chosen = ask_store(settings, choose)
    if chosen and not yes:
        typer.confirm(f"Drop {len(chosen)} dead letters for good?", abort=True)
    dropped = change_store(
        settings,
        begun(ActionKind.DEAD_LETTERS_DROP, _asked(numbers, source, reason)),
        lambda store: store.drop_dead_letters(chosen),
        lambda count: f"{count} dropped",
    )
    typer.echo(f"{dropped} dropped")


def _asked(
    numbers: list[int] | None, source: str | None, reason: str
) -> dict[str, str | int | None]:
    """Which letters, for the record."""
    listed = " ".join(map(str, numbers or ()))
    return {"numbers": listed, "source": source, "reason": reason}


def _must_say_which(
    numbers: list[int] | None, source: str | None, reason: str, *, everything: bool
) -> None:
    if not (numbers or source or reason or everything):
        raise typer.BadParameter("say which: numbers, --source, --reason, or --all")


async def _matching_numbers(store: Store, source: str | None, reason: str) -> list[int]:
    numbers: list[int] = []
    while page := await store.dead_letters(
        reason_prefix=reason, source=source, after=numbers[-1] if numbers else 0, limit=_PAGE
    ):
        numbers += [letter.id for letter in page]
    return numbers


def _as_json(letter: StoredDeadLetter) -> dict[str, Any]:
    return {
        "number": letter.id,
        "source": letter.source,
        "origin": letter.origin,
        "reason": letter.reason,
        "statement": letter.statement_id,
        "arrived": iso_time(letter.received_at),
    }
