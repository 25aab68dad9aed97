"""`pointsman db` shows the store's size, upgrades its schema, copies it, and puts a copy back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import Progress

from pointsman.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    ask_store,
)
from pointsman.cli.output import PlainTable, WideOption, print_table
from pointsman.cli.times import iso_time
from pointsman.config import load

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="The store: what it holds and how big it is, its schema, a copy of it and back.",
)


@app.command()
def stats(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how many rows there are, and how many bytes. Counts everything: seconds for millions.

    **Example:** `pointsman db stats`
    """
    stats = ask_store(load(config), lambda store: store.stats())
    if as_json:
        typer.echo(json.dumps(asdict(stats), indent=2))
        return
    table = PlainTable("what", "rows", "size")
    for name in sorted({*stats.rows, *stats.bytes}):
        rows = f"{stats.rows[name]:,}" if name in stats.rows else ""
        table.add_row(name, rows, decimal(stats.bytes[name]) if name in stats.bytes else "")
    print_table(table, wide=wide)
    oldest = "none" if stats.oldest_statement is None else iso_time(stats.oldest_statement)
    typer.echo(
        f"{decimal(sum(stats.bytes.values()))} in all, schema {stats.schema}, "
        f"oldest statement: {oldest}"
    )


@app.command()
def upgrade(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Bring the schema up to date. The daemon does it too when it starts.

    A SQLite file must not be in use. On PostgreSQL, replicas of the older version go on working
    until they are restarted; they do not start on a newer schema.

    **Example:** `pointsman db upgrade`
    """
    settings = load(config)
    from pointsman.commands import upgrade as run_upgrade  # noqa: PLC0415 - not before it is needed

    done = asyncio.run(run_upgrade(settings))
    for step in done:
        typer.echo(f"{step.number:04} {step.name.replace('_', ' ')}")
    typer.echo(f"{len(done)} steps done" if done else "The schema is up to date.")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="A file that is not there yet.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Copy the SQLite file to TARGET while the daemon uses it; the copy is checked.

    **Example:** `pointsman db backup /backups/pointsman.db`
    """
    settings = load(config)
    from pointsman.commands import back_up  # noqa: PLC0415 - not before it is needed

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("copying", total=None)

        def on_progress(left: int, pages: int) -> None:
            progress.update(bar, completed=pages - left, total=pages)

        asyncio.run(back_up(settings, target, on_progress))
    typer.echo(f"{target}: {decimal(target.stat().st_size)}")


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="A file that `pointsman db backup` made.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Put BACKUP in the place of the SQLite file. Stop the daemon first; both files are kept.

    The backup is checked before, and the file that it replaces stays beside it with its log. Kafka
    is read on from where the backup was, and what was delivered since goes out once more. What came
    over HTTP since is in the replaced file only.

    **Example:** `pointsman db restore /backups/pointsman.db`
    """
    settings = load(config)
    from pointsman.commands import restore as run_restore  # noqa: PLC0415 - not before it is needed

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("restoring", total=None)

        def on_progress(left: int, pages: int) -> None:
            progress.update(bar, completed=pages - left, total=pages)

        done = asyncio.run(run_restore(settings, backup, on_progress))
    newest = iso_time(done.newest) if done.newest else "none"
    typer.echo(f"{settings.store.path} is {backup} now; its newest statement: {newest}")
    if done.aside is not None:
        typer.echo(f"what it replaced: {done.aside}")
