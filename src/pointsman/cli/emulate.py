"""`pointsman emulate` serves an emulated platform; it needs the extra `emulator`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from pointsman.cli.exit_codes import ExitCode


def emulate(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65_535)] = 8090,
    api_key: Annotated[
        str,
        typer.Option(
            help="The instance's key, asked of every request.", envvar="POINTSMAN_EMULATOR_KEY"
        ),
    ],
    catalogue: Annotated[
        Path | None,
        typer.Option(
            help="Which courses, topics and learners exist. Without it a built-in one: learners "
            "ana@example.com and ben@example.com, password demo.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    points_per_minute: Annotated[
        int, typer.Option(help="Points in each fixed window of 60 s.", min=1)
    ] = 100_000,
    requests_per_minute: Annotated[
        int, typer.Option(help="Requests in each fixed window of 60 s.", min=1)
    ] = 2_500,
    points_per_request: Annotated[
        int, typer.Option(help="Points that one request may cost.", min=1)
    ] = 1_000,
    token_ttl: Annotated[
        float, typer.Option(help="Seconds until an authToken expires.", min=0.001)
    ] = 3_600,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Keep everything in this SQLite file, or in emulator.db of this folder. In memory "
            "without it."
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="A fault on purpose, as key=value,...: kind=throttle,chance=0.01,retry_after=3. "
            "May be repeated; docs/emulator.md lists the kinds."
        ),
    ] = None,
    faults: Annotated[
        Path | None,
        typer.Option(help="A TOML file of [[faults]].", exists=True, dir_okay=False),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the faults' dice, so that they fall the same way again.")
    ] = None,
    webhook_url: Annotated[
        str | None,
        typer.Option(help="Send signed webhooks about what happens to this address."),
    ] = None,
    webhook_secret: Annotated[
        str | None,
        typer.Option(
            help="What webhooks are signed with.", envvar="POINTSMAN_EMULATOR_WEBHOOK_SECRET"
        ),
    ] = None,
    rest_requests_per_minute: Annotated[
        int, typer.Option(help="Requests to the REST API in each fixed window of 60 s.", min=1)
    ] = 100,
    feed_per_page: Annotated[
        int, typer.Option(help="Events of one page of a feed, at most.", min=1)
    ] = 100,
    feed_oldest_first: Annotated[
        bool, typer.Option("--feed-oldest-first", help="Feeds begin with the oldest event.")
    ] = False,
    feed_wrapped: Annotated[
        bool,
        typer.Option("--feed-wrapped", help="Pages of feeds stand in data.APIEvents."),
    ] = False,
    feed_cursor_ttl: Annotated[
        float | None, typer.Option(help="Seconds until a cursor of a feed expires.", min=0.001)
    ] = None,
) -> None:
    """Serve an emulated platform: GraphQL at /helium with prices, quotas and expiring tokens.

    It behaves as the platform does where that hurts: fixed windows with 429 and their headers,
    mutations that run one after another and stop at the first refusal, tokens that run out.
    GET /emulator/state shows what stands on it; `pointsman faults` makes things go wrong while it
    runs. Beside GraphQL it sends signed webhooks, and serves the feeds of events of the REST API.

    **Example:** `pointsman emulate --port 8090 --api-key k --fault kind=drop_after,chance=0.01`
    """
    try:
        from pointsman.emulator.cli import run_emulator  # noqa: PLC0415 - an extra, see below
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "graphql":
            raise
        typer.echo("the emulator is an extra: pip install 'pointsman[emulator]'", err=True)
        raise typer.Exit(ExitCode.WRONG) from None

    with suppress(KeyboardInterrupt):
        asyncio.run(
            run_emulator(
                host=host,
                port=port,
                api_key=api_key,
                catalogue=catalogue,
                points_per_minute=points_per_minute,
                requests_per_minute=requests_per_minute,
                points_per_request=points_per_request,
                token_ttl=token_ttl,
                data=data,
                faults=fault or [],
                faults_file=faults,
                seed=seed,
                webhook=None
                if webhook_url is None
                else {"url": webhook_url, "secret": webhook_secret or ""},
                rest_requests_per_minute=rest_requests_per_minute,
                feed_per_page=feed_per_page,
                feed_newest_first=not feed_oldest_first,
                feed_wrapped=feed_wrapped,
                feed_cursor_ttl=feed_cursor_ttl,
            )
        )
