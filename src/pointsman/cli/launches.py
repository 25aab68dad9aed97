"""`pointsman launches` makes signing keys, shows a launch, and revokes launches."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.operator_identity import begun
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.output import PlainTable, WideOption, print_table
from pointsman.config import Settings, load
from pointsman.domain.clock import MICROSECONDS
from pointsman.domain.launch import Launch
from pointsman.domain.operator_actions import ActionKind
from pointsman.domain.quantities import counted
from pointsman.story.words import shell_word

if TYPE_CHECKING:
    from pointsman.commands import LaunchState

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Players that your pages start."
)
_KEY_BYTES = 32


@app.callback()
def launches() -> None:
    """Players that your pages start."""


@app.command("new-key")
def new_key() -> None:
    """Print a fresh key for `launches.signing_key`; it is stored nowhere.

    **Example:** `pointsman launches new-key > secrets/launch_key`
    """
    typer.echo(secrets.token_urlsafe(_KEY_BYTES))


@app.command()
def show(
    registration: Annotated[str, typer.Argument(help="The registration of the launch.")],
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a launch: whose it is, of which activity, and until when. Exit code 1 for no such one.

    **Example:** `pointsman launches show 0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11`
    """
    state = _state(load(config), registration)
    if as_json:
        typer.echo(json.dumps({**asdict(state.launch), "isRevoked": state.is_revoked}, indent=2))
        return
    table = PlainTable(show_header=False, box=None)
    for name, value in _rows(state.launch):
        table.add_row(name, value)
    if state.is_revoked:
        table.add_row("revoked", "its credentials open nothing any longer")
    print_table(table, wide=wide)


@app.command()
def revoke(
    registration: Annotated[
        str | None, typer.Argument(help="The registration of the launch.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    learner: Annotated[
        str | None, typer.Option("--learner", help="Every launch of this learner instead.")
    ] = None,
) -> None:
    """Take back what players hold: at once, on every replica. Exit code 1 for no such launch.

    Its credentials get 401 from now on; what was stored stays. A launch that is asked for later is
    good, with the same registration too.

    **Example:** `pointsman launches revoke 0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11`

    **Example:** `pointsman launches revoke --learner ana@example.com`
    """
    if (registration is None) == (learner is None):
        raise typer.BadParameter("give a registration, or --learner: one of the two")
    from pointsman import commands  # noqa: PLC0415 - the other commands need not load the daemon

    settings = load(config)
    if registration is not None:
        whose = _state(settings, registration).launch.learner
        action = begun(ActionKind.LAUNCHES_REVOKE, {"registration": registration}, learner=whose)
        asyncio.run(commands.revoke_launch(settings, action, registration))
        typer.echo(f"the launch {registration} of {whose} is revoked")
    elif learner is not None:
        action = begun(ActionKind.LAUNCHES_REVOKE, {}, learner=learner)
        revoked = asyncio.run(commands.revoke_launches_of(settings, action, learner))
        if not revoked.launches:
            typer.echo(
                f"there is no launch of {learner}, so nothing is revoked; see how the "
                "launching page writes the learner: "
                f"pointsman explain --learner {shell_word(learner)}",
                err=True,
            )
            raise typer.Exit(ExitCode.NO)
        others = revoked.launches - revoked.current
        ended = f"; {others:,} had ended or were revoked before" if others else ""
        typer.echo(f"{counted(revoked.current, 'launch', 'launches')} of {learner} revoked{ended}")


def _state(settings: Settings, registration: str) -> LaunchState:
    """Ends the command where there is none."""
    # not before it is needed: the other commands need not load the daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    try:
        uuid.UUID(registration)
    except ValueError:
        raise typer.BadParameter(
            f"{registration!r} is no UUID, as a registration is; --learner takes a learner",
            param_hint="REGISTRATION",
        ) from None
    state = asyncio.run(commands.launch_state(settings, registration))
    if state is None:
        typer.echo(
            f"there is no launch with the registration {registration}; it may be older than "
            "store.retention_days",
            err=True,
        )
        raise typer.Exit(ExitCode.NO)
    return state


def _rows(launch: Launch) -> list[tuple[str, str]]:
    course = f"{launch.course_by} {launch.course}, completed: {launch.course_completed}"
    rows = [
        ("learner", launch.learner),
        ("known to the player as", f"{launch.actor.value} {launch.actor.home_page}".strip()),
        ("player", f"{launch.kind}, {launch.mode}"),
        ("activity", launch.activity),
        ("and what lies below", " ".join(launch.activities)),
        ("topic", launch.topic_id or "as the rules say"),
        ("course", course if launch.course else "as the rules say"),
        ("opened", _moment(launch.opened_at)),
        ("expires", _moment(launch.expires_at)),
        ("due", _moment(launch.due) if launch.due else ""),
    ]
    return [row for row in rows if row[1]]


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at // MICROSECONDS, UTC).isoformat()
