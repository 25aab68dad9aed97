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
from pointsman.replicas import Replica
from pointsman.store.base import Backlog


def status(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is paused, how much waits, and which configuration each daemon runs.

    It asks the store alone, so it works beside a daemon and without one.

    **Example:** `pointsman status`
    """
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    pauses, backlog, replicas = asyncio.run(commands.status(load(config)))
    if as_json:
        typer.echo(json.dumps(_as_json(pauses, backlog, replicas), indent=2))
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
    for replica in replicas:
        typer.echo(words_of(replica))
    if not replicas:
        typer.echo("no daemon runs on this store")


def words_of(replica: Replica) -> str:
    """Which configuration it runs, in a line; the mistakes of its file in further ones."""
    words = f"{replica.name} runs configuration {replica.hash} since {iso_time(replica.since)}"
    return f"{words}; its file was not taken: {replica.problem}" if replica.problem else words


def _as_json(pauses: list[Pause], backlog: Backlog, replicas: list[Replica]) -> dict[str, object]:
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
        "replicas": [
            {
                "name": replica.name,
                "configuration": replica.hash,
                "since": iso_time(replica.since),
                "problem": replica.problem,
            }
            for replica in replicas
        ],
    }
