"""`pointsman parked` lists desired state that waits for a corrected cause, frees it, drops it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pointsman.cli.operator_identity import begun
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption, ask_store, change_store
from pointsman.cli.output import PlainTable, WideOption, print_table, up_to
from pointsman.cli.times import iso_time
from pointsman.config import load
from pointsman.domain.desired_state import Desired
from pointsman.domain.operator_actions import ActionKind
from pointsman.domain.targets import Recipient

#: more than a store can hold
_ALL = 2**53
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Desired state that can't be sent for a reason that time won't cure: see, retry, drop it.",
)

LearnerOption = Annotated[
    list[str] | None, typer.Option("--learner", help="Of this learner only; may be repeated.")
]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Only where the reason begins so, such as 'token: '.")
]


@app.command("list")
def list_(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    learner: LearnerOption = None,
    reason: ReasonOption = "",
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most.")] = 100,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what is parked, the oldest first, with the platform's own words.

    **Example:** `pointsman parked list --learner ana@example.com`
    """
    settings = load(config)
    states = ask_store(
        settings,
        lambda store: store.parked(_recipients(learner), reason_prefix=reason, limit=limit + 1),
    )
    states = up_to(states, limit)
    if as_json:
        typer.echo(json.dumps([_as_json(state) for state in states], indent=2))
    elif states:
        print_table(_table(states), wide=wide)
    else:
        typer.echo("Nothing is parked.")


@app.command()
def retry(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    learner: LearnerOption = None,
    reason: ReasonOption = "",
) -> None:
    """Free what is parked, once its cause is removed; a running daemon sends it within seconds.

    **Example:** `pointsman parked retry --reason 'refused: NOT_FOUND'`
    """
    settings = load(config)
    recipients = None if learner is None else _recipients(learner)
    freed = change_store(
        settings,
        begun(ActionKind.PARKED_RETRY, {"reason": reason}, learner=", ".join(learner or ())),
        lambda store: store.unpark(recipients, reason_prefix=reason),
        lambda count: f"{count} freed",
    )
    typer.echo(f"{freed} freed")


@app.command()
def drop(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    learner: LearnerOption = None,
    reason: ReasonOption = "",
    key: Annotated[
        str | None, typer.Option("--key", help="Only of this target, such as a topic's id.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that the other options leave.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Forget what is parked for good, where its cause will never be removed.

    The platform keeps what it has. A newer input, or `pointsman replay`, wants it again. The books
    go on counting it, as dropped.

    **Example:** `pointsman parked drop --key topic_of_last_year`
    """
    settings = load(config)
    if not (learner or reason or key or everything):
        raise typer.BadParameter("say which: --learner, --reason, --key, or --all")
    states = ask_store(
        settings,
        lambda store: store.parked(_recipients(learner), reason_prefix=reason, limit=_ALL),
    )
    chosen = [state for state in states if key in {None, state.target.key}]
    if chosen and not yes:
        print_table(_table(chosen))
        typer.confirm(f"Drop {len(chosen)} for good?", abort=True)
    dropped = change_store(
        settings,
        begun(
            ActionKind.PARKED_DROP,
            {"reason": reason, "key": key},
            learner=", ".join(learner or ()),
        ),
        lambda store: store.drop_parked(chosen),
        lambda count: f"{count} dropped",
    )
    typer.echo(f"{dropped} dropped")


def _recipients(names: list[str] | None) -> list[Recipient]:
    """As `parked list` shows them."""
    return [Recipient.from_text(name) for name in names or []]


def _as_json(state: Desired) -> dict[str, object]:
    return {
        "learner": str(state.recipient),
        "kind": state.target.kind.value,
        "key": state.target.key,
        "value": state.value,
        "since": iso_time(state.since),
        "code": state.park_code,
        "reason": state.parked,
    }


def _table(states: list[Desired]) -> PlainTable:
    table = PlainTable("learner", "target", "wanted", "since", "reason")
    for state in states:
        target = f"{state.target.kind.value} {state.target.key}"
        since = iso_time(state.since)
        table.add_row(str(state.recipient), target, str(state.value), since, state.parked)
    return table
