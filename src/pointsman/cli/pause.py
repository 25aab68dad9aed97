"""`pointsman pause` and `pointsman resume` stop deliveries and let them go on."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from pointsman.cli.operator_identity import begun
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.config import load
from pointsman.domain.operator_actions import ActionKind
from pointsman.domain.target_kinds import TargetKind

KindOption = Annotated[
    TargetKind | None, typer.Option("--kind", help="Only this kind of target; else all of them.")
]


def pause(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    kind: KindOption = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, for those who wonder; it is shown everywhere.")
    ] = "",
) -> None:
    """Stop sending to the platform, all or one kind of target, until `pointsman resume`.

    Statements are still taken, and nothing is lost. Every replica stops within about a second; what
    is on its way then is finished.

    **Example:** `pointsman pause --reason 'the platform is moved tonight'`
    """
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    settings = load(config)
    details = {"kind": None if kind is None else kind.value, "reason": reason}
    made = asyncio.run(commands.pause(settings, begun(ActionKind.PAUSE, details), kind, reason))
    again = "pointsman resume" + ("" if kind is None else f" --kind {kind.value}")
    typer.echo(f"{made.words}\nIt goes on after: {again}")


def resume(config: ConfigOption = DEFAULT_CONFIG, *, kind: KindOption = None) -> None:
    """Send again what was paused: one kind of target, or all that is paused.

    **Example:** `pointsman resume`
    """
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    settings = load(config)
    details = {"kind": None if kind is None else kind.value}
    ended = asyncio.run(commands.resume(settings, begun(ActionKind.RESUME, details), kind))
    names = ", ".join(pause.name for pause in ended)
    typer.echo(f"Resumed: {names}" if ended else "Nothing was paused.")
