"""`pointsman who` finds the learner whom the log calls by a hash."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.config import load
from pointsman.domain.pseudonyms import PREFIX, is_pseudonym


def who(
    pseudonym: Annotated[
        str, typer.Argument(metavar="HASH", help="As in the log, with or without `learner:`.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Find whom the log means by a hash.

    It looks at all that the store knows, statements last, so it may take a while.

    **Example:** `pointsman who learner:4be1c0a9d3f27716`
    """
    if not is_pseudonym(f"{PREFIX}{pseudonym.removeprefix(PREFIX)}"):
        raise typer.BadParameter(
            f"{pseudonym!r} is no hash of the log, which is {PREFIX} and 16 hexadecimal digits; "
            "a learner's own name goes to pointsman explain --learner",
            param_hint="HASH",
        )
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    learner = asyncio.run(commands.who(load(config), pseudonym))
    if learner is None:
        typer.echo("The store knows nobody of that hash: forgotten, pruned, or another store's.")
        raise typer.Exit(ExitCode.NO)
    typer.echo(learner)
