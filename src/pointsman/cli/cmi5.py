"""`pointsman cmi5`: what a course package has, and what it takes to launch it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

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
) -> None:
    """Show a course's blocks and units, with rules for them and the requests that launch them.

    Nothing is changed anywhere. Put the platform's topics and courses in the place of the words in
    capitals, and the rules into your configuration. A launch may name `topicId` and `courseId`
    itself instead: then it needs no rule.

    Exit code 2 when the file is no course; the message names the line.

    **Example:** `pointsman cmi5 import geology.zip`
    """
    try:
        course = read_course(file)
    except InputRefused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    launches = [launch_request(unit) for unit, _ in course.units()]
    if as_json:
        found = {
            "course": course_as_json(course),
            "rules": proposed_rules(course),
            "launches": launches,
        }
        typer.echo(json.dumps(found, indent=2))
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
    for one in members:
        typer.echo(f"{margin}{one.title}  {one.id}")
        if isinstance(one, Block):
            _show(one.members, depth + 1)
            continue
        details = {
            "activity": launch_activity(one.id),
            "url": one.url,
            "moveOn": one.move_on,
            "masteryScore": one.mastery_score,
            "launchMethod": one.launch_method,
            "launchParameters": one.launch_parameters,
            "entitlementKey": one.entitlement_key,
        }
        for name, value in details.items():
            if value is not None:
                typer.echo(f"{margin}  {name}: {value}")
