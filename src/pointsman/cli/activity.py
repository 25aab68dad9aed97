"""`pointsman activity` shows what operators did."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption, ask_store
from pointsman.cli.output import PlainTable, WideOption, print_table, up_to
from pointsman.cli.times import iso_time, parse_time
from pointsman.config import load
from pointsman.domain.operator_actions import ActionKind, OperatorAction

_UNDER_WAY = "not finished"


def activity(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    kind: Annotated[ActionKind | None, typer.Option(help="Only such actions.")] = None,
    learner: Annotated[str, typer.Option("--learner", help="Only about this learner.")] = "",
    since: Annotated[
        str | None, typer.Option(help="From when on: 7d, 12h, 2026-11-01; all without it.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most.")] = 100,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what operators did, the newest first: who, what, when, from where, how it ended.

    Launches, and what commands changed. An action that did not finish is still under way, or its
    process died. The record is kept for `store.activity_days`.

    **Example:** `pointsman activity --since 7d`
    """
    start = 0 if since is None else parse_time(since)
    actions = ask_store(
        load(config),
        lambda store: store.operator_actions(
            kind=kind, learner=learner, since=start, limit=limit + 1
        ),
    )
    actions = up_to(actions, limit, which="newest")
    if as_json:
        typer.echo(json.dumps([_as_json(action) for action in actions], indent=2))
    elif actions:
        table = PlainTable("when", "who", "from", "what", "learner", "details", "outcome")
        for action in actions:
            table.add_row(
                *(iso_time(action.at), action.who, action.origin, action.kind.value),
                *(action.learner, _details(action), action.outcome or _UNDER_WAY),
            )
        print_table(table, wide=wide)
    else:
        typer.echo("Nothing is recorded.")


def _details(action: OperatorAction) -> str:
    return ", ".join(f"{name}: {value}" for name, value in action.details.items())


def _as_json(action: OperatorAction) -> dict[str, object]:
    return {
        "number": action.id,
        "at": iso_time(action.at),
        "kind": action.kind.value,
        "who": action.who,
        "origin": action.origin,
        "learner": action.learner,
        "details": dict(action.details),
        "outcome": action.outcome or None,
    }
