"""`pointsman status` says in a few lines what is paused, and what waits."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated

import typer

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.times import iso_time
from pointsman.config import load
from pointsman.domain.pauses import Pause
from pointsman.store.base import Backlog


def status(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether delivery is paused, and how much waits: to be sent, or for a person.

    It asks the store alone, so it works beside a daemon and without one.

    **Example:** `pointsman status`
    """
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    pauses, backlog = asyncio.run(commands.status(load(config)))
    if as_json:
        typer.echo(json.dumps(_as_json(pauses, backlog), indent=2))
        return
    for pause in pauses:
        typer.echo(f"{pause.words} (since {iso_time(pause.since)})")
    if not pauses:
        typer.echo("delivery is not paused")
    oldest = ""
    if backlog.oldest_dirty is not None:
        oldest = f", the oldest for {time.time() - backlog.oldest_dirty / 1e6:.0f} s"
    typer.echo(f"{sum(backlog.dirty.values()):,} wait to be sent{oldest}")
    typer.echo(f"{sum(backlog.parked.values()):,} parked")
    typer.echo(f"{backlog.dead_letters:,} dead letters, {backlog.unmatched:,} unmatched")


def _as_json(pauses: list[Pause], backlog: Backlog) -> dict[str, object]:
    oldest = backlog.oldest_dirty
    return {
        "paused": [
            {"what": pause.name, "since": iso_time(pause.since), "reason": pause.reason}
            for pause in pauses
        ],
        "waiting": dict(backlog.dirty),
        "parked": dict(backlog.parked),
        "oldestWaiting": None if oldest is None else iso_time(oldest),
        "deadLetters": backlog.dead_letters,
        "unmatched": backlog.unmatched,
    }
