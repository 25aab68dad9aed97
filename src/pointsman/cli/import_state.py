"""`pointsman import-state` marks what the platform already knows as delivered."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.operator_identity import begun
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.commands import ImportStep, ImportTarget
from pointsman.commands import import_state as take_state
from pointsman.config import load
from pointsman.domain.errors import ConfigError
from pointsman.domain.operator_actions import ActionKind
from pointsman.platforms.tokens.learner_table import learner_name
from pointsman.text_files import read_text

_COLUMNS = {"learner", "course_id", "course_slug", "course_sku"}


def import_state(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="CSV with a header, or JSON lines: learner, course_id, and course_slug or "
            "course_sku where the rules name the course so.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Take what the platform already knows as delivered, before the daemon's first start.

    With a file, the courses in it are read: complete topics and completed courses count as
    delivered, so that history which comes later changes nothing. Without one, whatever waits to be
    sent is compared with the platform, and what it shows already is not sent.

    It needs the store for itself, so the daemon must not run; it spends from the same quota. Run
    again it does no harm. Exit code 1 when something could not be read.

    **Example:** `pointsman import-state courses.csv`
    """
    settings = load(config)
    taken, unread = 0, 0
    targets = list(_import_targets(file)) if file is not None else None
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("reading the platform", total=None)

        def on_step(step: ImportStep, number: int, total: int) -> None:
            nonlocal taken, unread
            taken += step.taken
            unread += len(step.unread)
            progress.update(bar, completed=number, total=total)
            for place, reason in step.unread.items():
                progress.console.print(f"{step.learner}: {place}: {reason}", markup=False)

        action = begun(ActionKind.IMPORT_STATE, {"file": None if file is None else str(file)})
        asyncio.run(take_state(settings, action, targets, on_step))
    typer.echo(f"{taken} taken as delivered, {unread} courses and paths could not be read")
    if unread:
        typer.echo("next: correct what is said above, and run this again", err=True)
        raise typer.Exit(ExitCode.NO)


def _import_targets(path: Path) -> Iterator[ImportTarget]:
    """Raises `ConfigError` naming every line that is wrong."""
    problems = []
    for number, entry in _entries(path):
        try:
            yield _import_target(entry)
        except ValueError as error:
            problems.append(f"{path}, line {number}: {error}")
    if problems:
        raise ConfigError("\n".join(problems))


def _entries(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        text = read_text(path)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    lines = text.splitlines()
    if not text.lstrip().startswith("{"):
        for number, row in enumerate(csv.DictReader(lines), start=2):
            yield number, {name: value for name, value in row.items() if value}
        return
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                raise ConfigError(f"{path}, line {number}: is not JSON: {error}") from error


def _import_target(entry: Any) -> ImportTarget:
    if not isinstance(entry, dict):
        raise ValueError("is not an object")  # noqa: TRY004 - a file's content
    if unknown := entry.keys() - _COLUMNS:
        listed = ", ".join(map(str, sorted(unknown, key=str)))
        raise ValueError(f"has {listed}; there are {', '.join(sorted(_COLUMNS))}")
    if missing := {"learner", "course_id"} - entry.keys():
        raise ValueError(f"has no {' and no '.join(sorted(missing))}")
    if "course_slug" in entry and "course_sku" in entry:
        raise ValueError("has course_slug and course_sku; the rules name a course once")
    key = f"id:{entry['course_id']}"
    for by in ("slug", "sku"):
        if f"course_{by}" in entry:
            key = f"{by}:{entry[f'course_{by}']}"
    return ImportTarget(learner_name(entry["learner"]), entry["course_id"], key)
