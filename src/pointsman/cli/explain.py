"""`pointsman explain`: why a learner's state is what it is, as one story."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.output import echo_visible
from pointsman.config import load


def explain(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    learner: Annotated[
        str,
        typer.Option(
            "--learner",
            help="The address, or `home page|name` of an account, or another identifier.",
        ),
    ] = "",
    topic: Annotated[str, typer.Option("--topic", help="Of this topic's id only.")] = "",
    course: Annotated[
        str, typer.Option("--course", help="Of this course only: its id, slug or SKU.")
    ] = "",
    activity: Annotated[str, typer.Option("--activity", help="Of this activity's IRI only.")] = "",
    statement: Annotated[
        str, typer.Option("--statement", help="Of this statement's id only; needs no learner.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="Show so many of the newest events.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say why a learner's state is what it is: what came, moved, was sent and was answered.

    At the end it says what happens next and when, and what you can do. It changes nothing, and
    works while the daemon runs.

    **Example:** `pointsman explain --learner ana@example.com --topic topic_demo_1`
    """
    if not learner and not statement:
        raise typer.BadParameter("give --learner, or --statement")
    if sum(map(bool, (topic, course, activity, statement))) > 1:
        raise typer.BadParameter("give one of --topic, --course, --activity and --statement")
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed
    from pointsman.story import (  # noqa: PLC0415 - the same
        Cause,
        Question,
        story_as_json,
        story_as_text,
    )

    question = Question(
        learner=learner,
        topic=topic,
        course=course,
        activity=activity,
        statement_id=statement,
    )
    story = asyncio.run(commands.explain(load(config), question, limit=limit))
    if as_json:
        typer.echo(json.dumps(story_as_json(story), indent=2, ensure_ascii=False))
    else:
        echo_visible(story_as_text(story))
    if story.end.cause is Cause.NO_INPUT:
        raise typer.Exit(ExitCode.NO)
