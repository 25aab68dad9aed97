"""`pointsman parked` lists desired state that waits for a cause to be mended, and frees it."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption, ask_store, settings_or_exit
from pointsman.cli.times import iso_time
from pointsman.store.base import Parked

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Desired state that can't be sent for a reason that time won't cure: see it, retry it.",
)

LearnerOption = Annotated[
    list[str] | None, typer.Option("--learner", help="Of this learner only; may be repeated.")
]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Only where the reason begins so, such as 'token: '.")
]


@app.command("list")
def list_(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    learner: LearnerOption = None,
    reason: ReasonOption = "",
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what is parked, the oldest first, with the platform's own words.

    **Example:** `pointsman parked list --learner ana@example.com`
    """
    settings = settings_or_exit(config)
    states = ask_store(
        settings, lambda store: store.parked(learner or [], reason_prefix=reason, limit=limit)
    )
    if as_json:
        typer.echo(json.dumps([_as_json(state) for state in states], indent=2))
    elif states:
        Console().print(_table(states))
    else:
        typer.echo("Nothing is parked.")


@app.command()
def retry(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    learner: LearnerOption = None,
    reason: ReasonOption = "",
) -> None:
    """Free what is parked, after its cause is mended; a running daemon sends it within seconds.

    **Example:** `pointsman parked retry --reason 'refused: NOT_FOUND'`
    """
    settings = settings_or_exit(config)
    freed = ask_store(settings, lambda store: store.unpark(learner, reason_prefix=reason))
    typer.echo(f"{freed} freed")


def _as_json(state: Parked) -> dict[str, object]:
    return {
        "learner": state.learner,
        "kind": state.kind.value,
        "key": state.key,
        "value": state.value,
        "since": iso_time(state.since),
        "reason": state.reason,
    }


def _table(states: list[Parked]) -> Table:
    table = Table("learner", "target", "wanted", "since", "reason")
    for state in states:
        target = f"{state.kind.value} {state.key}"
        table.add_row(state.learner, target, str(state.value), iso_time(state.since), state.reason)
    return table
