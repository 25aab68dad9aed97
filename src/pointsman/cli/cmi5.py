"""`pointsman cmi5` shows the units of a course package, with rules and launch requests for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.courses import (
    AssignableUnit,
    Block,
    course_as_json,
    launch_activity,
    launch_request,
    proposed_rules,
    read_course,
)
from pointsman.domain.errors import InputRefused

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="cmi5 courses.")


@app.callback()
def cmi5() -> None:
    """cmi5 courses."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A course package (.zip), or its cmi5.xml.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    strict: Annotated[bool, typer.Option(help="Take a warning for an error.")] = False,
) -> None:
    """Show a course's blocks and units, with rules for them and the requests that launch them.

    Nothing is changed anywhere. Put the platform's topics and courses in the place of the words in
    capitals, and the rules into your configuration. A launch may name `topicId` and `courseId`
    itself instead: then it needs no rule.

    Exit code 2 when the file is no course, or with `--strict` departs from cmi5 anywhere; the
    message names the line.

    **Example:** `pointsman cmi5 import geology.zip`
    """
    try:
        course = read_course(file)
    except InputRefused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(ExitCode.WRONG) from None
    if strict and course.warnings:
        for warning in course.warnings:
            typer.echo(f"error: {warning}", err=True)
        raise typer.Exit(ExitCode.WRONG)
    launches = [launch_request(unit) for unit, _ in course.units()]
    if as_json:
        summary = {
            "course": course_as_json(course),
            "rules": proposed_rules(course),
            "launches": launches,
        }
        typer.echo(json.dumps(summary, indent=2))
        return
    typer.echo(f"{course.title}  {course.id}")
    _show(course.members)
    for warning in course.warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"\nRules, to be looked over:\n\n{proposed_rules(course)}")
    typer.echo("The body of a POST /launches for each unit:\n")
    for body in launches:
        typer.echo(json.dumps(body, indent=2, ensure_ascii=False))


def _show(members: tuple[AssignableUnit | Block, ...], depth: int = 1) -> None:
    margin = "  " * depth
    for member in members:
        typer.echo(f"{margin}{member.title}  {member.id}")
        if isinstance(member, Block):
            _show(member.members, depth + 1)
            continue
        details = {
            "activity": launch_activity(member.id),
            "url": member.url,
            "moveOn": member.move_on,
            "masteryScore": member.mastery_score,
            "launchMethod": member.launch_method,
            "launchParameters": member.launch_parameters,
            "entitlementKey": member.entitlement_key,
        }
        for name, value in details.items():
            if value is not None:
                typer.echo(f"{margin}  {name}: {value}")
