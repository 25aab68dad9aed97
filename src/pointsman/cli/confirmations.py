"""`pointsman confirmations` names completions that are stuck, and has a feed read again."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.operator_identity import begun
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.output import PlainTable, WideOption, print_table, up_to
from pointsman.cli.times import iso_time, parse_time
from pointsman.config import Settings, load
from pointsman.domain.operator_actions import ActionKind
from pointsman.store.completion_tally import Stuck
from pointsman.store.confirmation_records import FeedPlace, Span

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="What the platform says by itself: who is stuck, and its feed.",
)


@app.callback()
def confirmations() -> None:
    """What the platform says by itself: who is stuck, and its feed."""


@app.command()
def stuck(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    place: Annotated[
        str | None, typer.Option(help="Only this one, such as course:ID or path:SLUG.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most.")] = 100,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Name each learner whose completion does not go on, with the stage that it has come to.

    Stages: finished, delivered, confirmed, certificate. Exit code 0 without any, 1 with.

    **Example:** `pointsman confirmations stuck --place course:course_demo`
    """
    settings = load(config)
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    report = asyncio.run(commands.confirmation_report(settings, limit=limit + 1))
    found = up_to(list(report.stuck), limit)
    found = [row for row in found if place in {None, str(row.place)}]
    if as_json:
        typer.echo(json.dumps([_as_json(row) for row in found], indent=2))
    elif found:
        table = PlainTable("learner", "place", "stage", "since", "reason", "next")
        for row in found:
            texts = (row.learner, str(row.place), row.stage.value, iso_time(row.since))
            table.add_row(*texts, row.reason, row.next)
        print_table(table, wide=wide)
    else:
        typer.echo("No completion is stuck.")
    raise typer.Exit(ExitCode.NO if found else ExitCode.OK)


@app.command()
def feeds(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how far each feed is read, what it cost, and the spans that wait to be read.

    **Example:** `pointsman confirmations feeds`
    """
    settings = load(config)
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    found = asyncio.run(commands.confirmation_report(settings, limit=0)).feeds
    if as_json:
        typer.echo(json.dumps({name: _feed(found[name]) for name in found}, indent=2))
        return
    if not found:
        typer.echo("No feed was read.")
        return
    table = PlainTable("feed", "read until", "requests", "points", "events")
    for name, feed in found.items():
        until = iso_time(feed.read_until) if feed.read_until else ""
        table.add_row(name, until, f"{feed.requests:,}", f"{feed.points:,}", f"{feed.events:,}")
    print_table(table, wide=wide)


@app.command()
def backfill(
    since: Annotated[
        str, typer.Option("--from", help="From when on: 7d, 12h, 2026-11-01T08:00:00Z.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    until: Annotated[str, typer.Option("--to", help="Up to when, written the same way.")] = "0s",
    name: Annotated[
        str, typer.Option("--name", help="Of which [[confirmations]]; not needed for the only one.")
    ] = "",
) -> None:
    """Have the daemon read a span of its feed again, between what is new.

    It costs requests of the feed's own limit, and no points. What was known changes nothing.

    **Example:** `pointsman confirmations backfill --from 7d --to 1d`
    """
    settings = load(config)
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    span = Span(parse_time(since), parse_time(until))
    if span.since >= span.until:
        raise typer.BadParameter("--from must be before --to")
    name = name or _only_feed(settings)
    action = begun(ActionKind.CONFIRMATIONS_BACKFILL, {"name": name, "from": since, "to": until})
    asyncio.run(commands.backfill_feed(settings, action, name, span))
    typer.echo(
        f"The daemon reads the feed of {name} from {iso_time(span.since)} to "
        f"{iso_time(span.until)}; it waits in pointsman confirmations feeds until that is done."
    )


def _only_feed(settings: Settings) -> str:
    names = [entry.name for entry in settings.confirmations if entry.feed is not None]
    if len(names) != 1:
        raise typer.BadParameter(
            f"give --name: {', '.join(names)}" if names else "no [confirmations.feed] is configured"
        )
    return names[0]


def _as_json(row: Stuck) -> dict[str, object]:
    return {
        "learner": row.learner,
        "place": str(row.place),
        "stage": row.stage.value,
        "since": iso_time(row.since),
        "reason": row.reason,
        "next": row.next,
    }


def _feed(place: FeedPlace) -> dict[str, object]:
    return {
        "readUntil": iso_time(place.read_until) if place.read_until else None,
        "underWay": place.current is not None,
        "requests": place.requests,
        "points": place.points,
        "events": place.events,
    }
