"""`pointsman audit` shows how far the platform agrees with what was delivered."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from pointsman.cli.completion_tables import (
    completions_json,
    completions_table,
    cost_json,
    cost_lines,
)
from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption, ask_store
from pointsman.cli.output import PlainTable, WideOption, echo_visible, print_table, up_to
from pointsman.config import load
from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.store.base import Agreement


def audit(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    place: Annotated[
        str | None, typer.Option(help="Only this one, such as course:ID or path:SLUG.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so much drift at most.")] = 100,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how far the platform agrees with what was delivered, by course and learning path.

    First what was read back, then what the platform said of completions by webhook, feed and audit,
    and what each of them cost. The daemon reads back with what delivery leaves over of the quota;
    this asks the platform nothing. Drift is what the platform did not show even after it was sent
    again: it is parked, and listed with both values. A rule whose work can't be read back is named,
    with what would let it. Exit code 0 without drift, 1 with.

    **Example:** `pointsman audit --place course:course_demo`
    """
    settings = load(config)
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    report = asyncio.run(commands.confirmation_report(settings, limit=0))
    completions = [entry for entry in report.places if place in {None, str(entry.place)}]
    places = ask_store(settings, lambda store: store.agreement())
    agreements = [agreement for agreement in places if place in {None, str(agreement.place)}]
    drift = ask_store(settings, lambda store: store.parked(codes=[ParkCode.DRIFT], limit=limit + 1))
    drift = up_to(drift, limit)
    drift = [state for state in drift if place in {None, str(state.read_back)}]
    unread = {rule.name: rule.unread_because for rule in settings.rules if rule.unread_because}
    if as_json:
        shown = {
            "places": [_agreement(entry) for entry in agreements],
            "drift": [_drift(entry) for entry in drift],
            "notReadBack": unread,
            "completions": [completions_json(entry) for entry in completions],
            "cost": cost_json(report.feeds),
        }
        typer.echo(json.dumps(shown, indent=2))
    elif agreements:
        print_table(_table(agreements), wide=wide)
        for state in drift:
            echo_visible(f"{state.recipient}: {_target(state)}: {state.parked}")
        if completions:
            print_table(completions_table(completions), wide=wide)
        for line in cost_lines(report.feeds):
            typer.echo(line)
    else:
        typer.echo("Nothing is delivered that can be read back.")
    if not as_json and place is None:
        for rule, reason in unread.items():
            why, _, cure = reason.partition("; ")
            typer.echo(f"What the rule {rule!r} sets is not read back: {why}\n  next: {cure}")
        if not settings.audit.enabled:
            typer.echo("The daemon reads nothing back: audit.enabled is false.")
    raise typer.Exit(ExitCode.NO if drift else ExitCode.OK)


def _table(agreements: list[Agreement]) -> PlainTable:
    table = PlainTable(
        "place", "agrees", "sent again", "drift", "changed on purpose", "can't be read", "not yet"
    )
    for agreement in agreements:
        counts = (
            agreement.agrees,
            agreement.resent,
            agreement.drift,
            agreement.contradicted,
            agreement.unreadable,
            agreement.waiting,
        )
        table.add_row(str(agreement.place), *(f"{count:,}" for count in counts))
    return table


def _target(state: Desired) -> str:
    return f"{state.target.kind.value} {state.target.key}"


def _agreement(agreement: Agreement) -> dict[str, object]:
    return {**asdict(agreement), "place": str(agreement.place)}


def _drift(state: Desired) -> dict[str, object]:
    return {
        "learner": str(state.recipient),
        "kind": state.target.kind.value,
        "key": state.target.key,
        "wanted": state.value,
        "reason": state.parked,
    }
