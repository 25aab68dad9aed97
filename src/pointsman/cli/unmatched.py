"""`pointsman unmatched`: what comes in and no rule takes, and the rules that would."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption, settings_or_exit
from pointsman.cli.stores import ask_store
from pointsman.cli.times import shown
from pointsman.mapping.proposals import VARIABLE, propose


def unmatched(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show activities that no rule takes, the most frequent first, and rules that would take them.

    The sample is a statement's id: GET it at `/xapi/statements?statementId=`. After writing a rule,
    `pointsman replay` applies it to what is here already.

    **Example:** `pointsman unmatched --limit 20`
    """
    found = ask_store(settings_or_exit(config), lambda store: store.unmatched(limit=limit))
    rules = propose(one.activity for one in found)
    if as_json:
        activities = [
            {
                "activity": one.activity,
                "inputs": one.inputs,
                "sample": one.sample_id,
                "first": shown(one.first_at),
                "last": shown(one.last_at),
            }
            for one in found
        ]
        typer.echo(json.dumps({"activities": activities, "rules": rules}, indent=2))
        return
    if not found:
        typer.echo("Every activity is taken by a rule.")
        return
    table = Table("activity", "inputs", "first", "last", "a statement of it")
    for one in found:
        table.add_row(
            one.activity, f"{one.inputs:,}", shown(one.first_at), shown(one.last_at), one.sample_id
        )
    Console().print(table)
    typer.echo("Rules that would take them, to be looked over:\n")
    for activity in rules:
        typer.echo(f'[[rules]]\nactivity = "{activity}"\ntopic_id = "{{{VARIABLE}}}"\n')
