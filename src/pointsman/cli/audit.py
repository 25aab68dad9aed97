"""`pointsman audit`: does the platform show what was delivered?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption, settings_or_exit
from pointsman.cli.stores import ask_store
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import Desired
from pointsman.store.base import Agreement


def audit(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    place: Annotated[
        str | None, typer.Option(help="Only this one, such as course:ID or path:SLUG.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so much drift at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how far the platform agrees with what was delivered, by course and learning path.

    The daemon reads back with what delivery leaves over of the quota; this asks the platform
    nothing. Drift is what the platform did not show even after it was sent again: it is parked,
    and listed with both values. Exit code 0 without drift, 1 with.

    **Example:** `pointsman audit --place course:course_demo`
    """
    settings = settings_or_exit(config)
    places = ask_store(settings, lambda store: store.agreement())
    found = [one for one in places if place in {None, str(one.place)}]
    drift = ask_store(settings, lambda store: store.parked(codes=[ParkCode.DRIFT], limit=limit))
    drift = [one for one in drift if place in {None, str(one.read_back)}]
    if as_json:
        shown = {
            "places": [_agreement(one) for one in found],
            "drift": [_drift(one) for one in drift],
        }
        typer.echo(json.dumps(shown, indent=2))
    elif found:
        Console().print(_table(found))
        for one in drift:
            typer.echo(f"{one.recipient}: {one.target.kind.value} {one.target.key}: {one.parked}")
    else:
        typer.echo("Nothing is delivered that can be read back.")
    raise typer.Exit(1 if drift else 0)


def _table(found: list[Agreement]) -> Table:
    table = Table("place", "agrees", "sent again", "drift", "can't be read", "not looked at yet")
    for one in found:
        counts = (one.agrees, one.resent, one.drift, one.unreadable, one.waiting)
        table.add_row(str(one.place), *(f"{count:,}" for count in counts))
    return table


def _agreement(one: Agreement) -> dict[str, object]:
    return {**asdict(one), "place": str(one.place)}


def _drift(one: Desired) -> dict[str, object]:
    return {
        "learner": str(one.recipient),
        "kind": one.target.kind.value,
        "key": one.target.key,
        "wanted": one.value,
        "reason": one.parked,
    }
