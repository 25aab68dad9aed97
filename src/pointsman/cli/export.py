"""`pointsman export` hands out what the store holds of a person."""

from __future__ import annotations

import asyncio
import json

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.forget import LearnerArgument
from pointsman.cli.operator_identity import begun
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.config import load
from pointsman.domain.operator_actions import ActionKind
from pointsman.story.words import shell_word


def export(
    learner: LearnerArgument,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Hand out all that the store holds of a person, as JSON.

    Their statements, documents and launches, and what was derived: desired state, deliveries,
    evidence. Of others' statements that name them, the ids alone. Exit code 1 where nothing is
    held.

    **Example:** `pointsman export ana@example.com > ana.json`
    """
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    action = begun(ActionKind.EXPORT, {})
    records = asyncio.run(commands.export_person(load(config), action, learner))
    typer.echo(json.dumps(records, indent=2, ensure_ascii=False))
    if commands.holds_nothing(records):
        typer.echo(
            f"the store holds nothing of {records['learner']}; see that the name is written right: "
            f"pointsman explain --learner {shell_word(records['learner'])}",
            err=True,
        )
        raise typer.Exit(ExitCode.NO)
