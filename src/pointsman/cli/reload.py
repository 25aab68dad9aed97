"""`pointsman reload` has the running daemons read their configuration, and says what came of it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.operator_identity import begun
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.status import words_of
from pointsman.config import load
from pointsman.domain.operator_actions import ActionKind


def reload(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait for the daemons at most.", min=0)
    ] = 30,
) -> None:
    """Have every running daemon take on the changed configuration, all of it or nothing.

    Each replica reads its own file, and takes on rules, limits, credentials, tokens and the log's
    level; no statement is refused meanwhile. A file with a mistake, or with a change that needs a
    restart, changes nothing. They are reached through the store, so this works from wherever the
    store can be opened. A changed file is also seen without it, within 5 seconds.

    Exit code 0 when every daemon runs its file as it is now; 1 when one does not, and why is said;
    2 when the file named here is wrong; 3 when no daemon runs.

    **Example:** `pointsman reload -c /etc/pointsman/pointsman.toml`
    """
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    settings = load(config)
    replicas = asyncio.run(commands.reload(settings, begun(ActionKind.RELOAD, {}), timeout))
    for replica in replicas:
        typer.echo(words_of(replica), err=bool(replica.problem))
    if not replicas:
        typer.echo(f"no daemon runs on {settings.store.url}", err=True)
        raise typer.Exit(ExitCode.AWAY)
    if any(replica.problem for replica in replicas):
        raise typer.Exit(ExitCode.NO)
