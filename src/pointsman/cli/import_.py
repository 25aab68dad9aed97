"""`pointsman import` takes past statements from a file or another learning record store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.operator_identity import begun
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.commands import BackfillProgress, LoadRate, LrsSettings, import_file, import_lrs
from pointsman.config import Settings, load
from pointsman.domain.errors import ConfigError, InputRefused, PartitionLost, Retry
from pointsman.domain.operator_actions import ActionKind
from pointsman.domain.records import InputOutcome
from pointsman.outgoing.settings import OutgoingSettings
from pointsman.secret_values import read_secret

SecretOption = Annotated[Path | None, typer.Option(help="A file with the secret of --key.")]
CaOption = Annotated[Path | None, typer.Option(help="PEM: authorities to trust, too.")]
CertOption = Annotated[Path | None, typer.Option(help="PEM: our own certificate.")]
KeyFileOption = Annotated[Path | None, typer.Option(help="PEM: the key of --cert-file.")]
BearerOption = Annotated[Path | None, typer.Option(help="A file with a bearer token.")]


def import_(
    source: Annotated[
        str,
        typer.Argument(
            help="A file with a statement, or an array of them, in each line (.gz and .zst too), "
            "or the URL of an LRS, as players are given it."
        ),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    rate: Annotated[
        float | None,
        typer.Option(min=0.1, help="Statements a second; without it, half of what the store can."),
    ] = None,
    key: Annotated[str | None, typer.Option(help="The LRS's user name.")] = None,
    secret_file: SecretOption = None,
    bearer_file: BearerOption = None,
    proxy: Annotated[
        str | None,
        typer.Option(
            help='http://HOST:PORT, or "direct"; without it, HTTPS_PROXY, HTTP_PROXY and NO_PROXY.'
        ),
    ] = None,
    ca_file: CaOption = None,
    cert_file: CertOption = None,
    key_file: KeyFileOption = None,
    since: Annotated[str | None, typer.Option(help="Stored since: an ISO 8601 time.")] = None,
    until: Annotated[str | None, typer.Option(help="Stored until: an ISO 8601 time.")] = None,
    agent: Annotated[str | None, typer.Option(help="Of this agent: JSON.")] = None,
    verb: Annotated[str | None, typer.Option(help="With this verb: an IRI.")] = None,
    activity: Annotated[str | None, typer.Option(help="About this activity: an IRI.")] = None,
) -> None:
    """Take statements of the past in, at a pace that leaves live traffic alone.

    The daemon may run meanwhile. Whatever ends it, run it again: it goes on where it was, and what
    is known already changes nothing. What is older than delivered state changes nothing either.

    Exit code 1 when there were dead letters: `pointsman dead-letters list --source import`.

    **Example:** `pointsman import history.ndjson.gz --rate 500`
    """
    settings = load(config)
    filters = {"since": since, "until": until, "agent": agent, "verb": verb, "activity": activity}
    filters_set = {name: value for name, value in filters.items() if value is not None}
    try:
        if source.startswith(("http://", "https://")):
            lrs = LrsSettings(
                source,
                key,
                _secret(secret_file),
                _secret(bearer_file),
                filters=filters_set,
                outgoing=_outgoing(
                    proxy=proxy, ca_file=ca_file, cert_file=cert_file, key_file=key_file
                ),
            )
            done = _with_progress(settings, lrs, LoadRate(rate))
        elif filters_set or any((key, secret_file, bearer_file, proxy, ca_file, cert_file)):
            raise ConfigError("a file takes none of the options for an LRS")
        else:
            done = _with_progress(settings, Path(source), LoadRate(rate))
    except PartitionLost:
        raise  # another import is at it: no use in running this one again
    except (Retry, InputRefused) as error:
        typer.echo(f"{error}\nnext: run it again, it goes on where it was", err=True)
        raise typer.Exit(ExitCode.AWAY) from None
    typer.echo(_summary(done))
    if done.outcomes[InputOutcome.DEAD]:
        typer.echo("next: pointsman dead-letters list --source import", err=True)
        raise typer.Exit(ExitCode.NO)


def _secret(path: Path | None) -> str | None:
    try:
        return None if path is None else read_secret(path)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _outgoing(**options: str | Path | None) -> OutgoingSettings:
    """Raises `ConfigError` with a line for each option that is wrong."""
    try:
        return OutgoingSettings.model_validate(options)
    except ValidationError as error:
        lines = (
            f"--{str(detail['loc'][0]).replace('_', '-')}: "
            + str(detail.get("ctx", {}).get("error", detail["msg"]))
            for detail in error.errors(include_url=False)
        )
        raise ConfigError("\n".join(lines)) from None


def _with_progress(
    settings: Settings, source: Path | LrsSettings, pace: LoadRate
) -> BackfillProgress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        bar = progress.add_task("reading", total=None)

        def on_progress(reached: int, total: int | None) -> None:
            progress.update(bar, completed=reached, total=total)

        if isinstance(source, LrsSettings):
            action = begun(ActionKind.IMPORT, {"source": _without_user(source.url)})
            return asyncio.run(import_lrs(settings, action, source, pace, on_progress))
        action = begun(ActionKind.IMPORT, {"source": str(source)})
        return asyncio.run(import_file(settings, action, source, pace, on_progress))


def _without_user(url: str) -> str:
    """An address without a password, for the record."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _summary(done: BackfillProgress) -> str:
    parts = [
        f"{done.outcomes[outcome]:,} {outcome.value.replace('_', ' ')}"
        for outcome in InputOutcome
        if done.outcomes[outcome]
    ]
    if done.duplicates:
        parts.append(f"{done.duplicates:,} known already")
    return ", ".join(parts) or "nothing new"
