"""`pointsman doctor` checks an installation from end to end, and names a cure for what is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from pointsman.cli.config_warnings import config_warnings
from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.secret_warnings import reached_by_others, secret_warnings
from pointsman.cli.table_warnings import table_warnings
from pointsman.config import Settings, load
from pointsman.doctor import Finding, Level, Report, fail, ok, warn
from pointsman.domain.errors import ConfigError
from pointsman.domain.visible_text import visible

_COLORS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}
#: under the words of a finding
_INDENT = " " * 6


def doctor(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    learner: Annotated[
        str | None,
        typer.Option(help="Whose authToken is shown to the platform; without it, somebody's."),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for each part.", min=0.1)] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check an installation from end to end, and name a cure for what is wrong.

    The configuration and its secrets; the platform (key, a learner's token, clock, quota, and
    whether it has what the rules name); the store (room, schema, soundness, books); Kafka (topics,
    rights, lag); certificates, and when they end; our own addresses. It works beside daemons and
    without one, and changes nothing but the count of the quota. The platform is asked two
    questions, of up to 30 points.

    Exit code 0 when nothing fails, warnings or not; 1 when something does; 2 when the configuration
    is wrong.

    **Example:** `pointsman doctor --json | jq '.findings[] | select(.level != "ok")'`
    """
    try:
        settings = load(config)
    except ConfigError as error:
        _print(Report(list(_mistakes(config, error)), ()), as_json=as_json)
        raise typer.Exit(ExitCode.WRONG) from None
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman.commands.doctor import doctor as examine  # noqa: PLC0415 - see above

    report = asyncio.run(examine(settings, learner=learner, seconds=timeout))
    findings = [*_configuration(config, settings), *report.findings]
    report = Report(findings, report.not_checked, report.points, report.requests)
    _print(report, as_json=as_json)
    raise typer.Exit(ExitCode.NO if report.count(Level.FAIL) else ExitCode.OK)


def _mistakes(config: Path, error: ConfigError) -> Iterator[Finding]:
    cure = "correct it, and see `pointsman check`; config.example.toml has every setting"
    first, *lines = str(error).splitlines()
    for line in lines or [first]:
        yield fail("configuration", line.strip(), f"{cure} ({config})")


def _configuration(config: Path, settings: Settings) -> Iterator[Finding]:
    """What `pointsman check` warns of, and what is to be seen of secrets."""
    warnings = [*config_warnings(settings), *table_warnings(settings)]
    for words in warnings:
        yield warn("configuration", words, "docs/configuration.md has that setting")
    if not warnings:
        yield ok("configuration", f"{config} is right")
    secrets = list(secret_warnings(settings))
    for words, cure in secrets:
        yield warn("secrets", words, cure)
    if not secrets:
        yield ok(
            "secrets",
            "none is easy to guess, or in a file that everybody on this machine can read"
            if not settings.allow_weak_secrets or reached_by_others(settings)
            else "they may be easy to guess, for only this machine reaches the ports",
        )


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
        return
    width = max((len(finding.check) for finding in report.findings), default=0)
    for finding in report.findings:
        level = typer.style(f"{finding.level.value:4}", fg=_COLORS[finding.level], bold=True)
        typer.echo(f"{level}  {finding.check:{width}}  {visible(finding.words)}")
        if finding.cure:
            typer.echo(f"{_INDENT}{'':{width}}  next: {visible(finding.cure)}")
    if report.not_checked:
        typer.echo("\nNot checked")
        for row in report.not_checked:
            typer.echo(f"  {row.check}: {visible(row.why)}")
    failed, warned = report.count(Level.FAIL), report.count(Level.WARN)
    typer.echo(
        f"\n{failed} failed, {warned} to look at, {report.count(Level.OK)} ok; "
        f"{report.points} points in {report.requests} requests were spent."
    )
