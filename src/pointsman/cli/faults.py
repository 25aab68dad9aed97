"""`pointsman faults` lists, adds and clears the faults of a running emulator."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.output import PlainTable, WideOption, print_table
from pointsman.outgoing.client import HttpClient, NoReply
from pointsman.outgoing.settings import DIRECT, OutgoingSettings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Faults on purpose at a running `pointsman emulate`: list them, add one, clear them.",
)

UrlOption = Annotated[str, typer.Option(help="Where the emulator listens.")]
KeyOption = Annotated[
    str, typer.Option(help="The emulator's key.", envvar="POINTSMAN_EMULATOR_KEY")
]
_URL = "http://127.0.0.1:8090"
_SECONDS = 10.0
_MAX_BYTES = 10_000_000


@app.command("list")
def list_(
    *,
    api_key: KeyOption,
    url: UrlOption = _URL,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the faults that are in force, and how often each has struck.

    **Example:** `pointsman faults list --api-key k`
    """
    faults = _ask("GET", url, "/emulator/faults", api_key)
    if as_json:
        typer.echo(json.dumps(faults, indent=2))
        return
    table = PlainTable("id", "kind", "settings", "struck")
    for name, fault in faults["active"].items():
        kind, struck = fault.pop("kind"), fault.pop("struck")
        settings = ", ".join(f"{key}={value}" for key, value in fault.items())
        table.add_row(name, kind, settings, str(struck))
    print_table(table, wide=wide)
    struck = ", ".join(f"{kind} {count}" for kind, count in faults["struck"].items())
    typer.echo(f"struck since the start: {struck or 'none'}")


@app.command()
def add(
    fault: Annotated[str, typer.Argument(help="key=value,...: kind=throttle,chance=0.1")],
    *,
    api_key: KeyOption,
    url: UrlOption = _URL,
) -> None:
    """Put a fault in force; prints its id.

    **Example:** `pointsman faults add kind=server_error,burst=5,times=5 --api-key k`
    """
    pairs = [part.partition("=") for part in fault.split(",")]
    for key, is_pair, _ in pairs:
        if not key.strip() or not is_pair:
            typer.echo(f"{fault!r}: {key!r} is not key=value", err=True)
            raise typer.Exit(ExitCode.WRONG)
    entries = {key.strip(): value.strip() for key, _, value in pairs}
    typer.echo(_ask("POST", url, "/emulator/faults", api_key, entries)["id"])


@app.command()
def clear(
    name: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only this one.")] = None,
    *,
    api_key: KeyOption,
    url: UrlOption = _URL,
) -> None:
    """Take a fault, or all of them, out of force.

    **Example:** `pointsman faults clear f1 --api-key k`
    """
    which = f"/{quote(name, safe='')}" if name else ""
    _ask("DELETE", url, f"/emulator/faults{which}", api_key)
    typer.echo("cleared")


@app.command("expire-tokens")
def expire_tokens(
    *,
    api_key: KeyOption,
    url: UrlOption = _URL,
    learner: Annotated[
        str | None, typer.Option(help="Only this learner's, by e-mail address.")
    ] = None,
) -> None:
    """Let the authTokens that were handed out expire now.

    **Example:** `pointsman faults expire-tokens --learner ana@example.com --api-key k`
    """
    reply = _ask("POST", url, "/emulator/tokens/expire", api_key, {"learner": learner})
    typer.echo(f"tokens expired: {reply['expired']}")


def _ask(method: str, url: str, path: str, api_key: str, body: Any = None) -> Any:
    """The emulator's answer; what it refuses goes to standard error, with exit code 1."""
    try:
        status, payload = asyncio.run(_send(method, url.rstrip("/") + path, api_key, body))
        refused = payload["errors"][0]["message"] if status >= HTTPStatus.BAD_REQUEST else None
    except (NoReply, ValueError) as error:
        typer.echo(f"no emulator answers at {url}: {error}", err=True)
        raise typer.Exit(ExitCode.AWAY) from None
    except (KeyError, TypeError, IndexError):
        typer.echo(f"what answers at {url} is no emulator", err=True)
        raise typer.Exit(ExitCode.NO) from None
    if refused is not None:
        typer.echo(refused, err=True)
        raise typer.Exit(ExitCode.NO)
    return payload


async def _send(method: str, url: str, api_key: str, body: Any) -> tuple[int, Any]:
    # it is on this machine, or in this network
    direct = OutgoingSettings(proxy=DIRECT)
    client = HttpClient(direct, "--", timeout_seconds=_SECONDS, max_bytes=_MAX_BYTES)
    try:
        reply = await client.send(
            method,
            url,
            headers={"Content-Type": "application/json"},
            query={"apiKey": api_key},
            body=None if body is None else json.dumps(body).encode(),
        )
    finally:
        await client.close()
    return reply.status, json.loads(reply.body)
