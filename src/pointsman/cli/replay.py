"""`pointsman replay` applies the present rules to the statements stored already."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from pointsman.cli.operator_identity import begun
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.output import PlainTable, WideOption, print_table, up_to
from pointsman.cli.times import parse_time
from pointsman.commands import ReplayPage
from pointsman.commands import replay as run_replay
from pointsman.config import load
from pointsman.domain.operator_actions import ActionKind
from pointsman.domain.quantities import counted
from pointsman.domain.records import InputOutcome
from pointsman.domain.targets import Recipient, Target
from pointsman.store.base import Move


@dataclass(slots=True)
class _Total:
    """All pages together. Several moves of one target are one, from its first value to its last."""

    statements: int = 0
    skipped: int = 0
    outcomes: Counter[tuple[InputOutcome, InputOutcome]] = field(default_factory=Counter)
    moves: dict[tuple[Recipient, Target], Move] = field(default_factory=dict)

    def add(self, page: ReplayPage) -> None:
        self.statements += page.statements
        self.skipped += page.skipped
        self.outcomes.update(page.result.outcomes)
        for move in page.result.moves:
            key = (move.recipient, move.target)
            first = self.moves.get(key, move)
            self.moves[key] = Move(*key, first.before, move.after, move.rule)


def replay(
    since: Annotated[
        str, typer.Option(help="From when on: 7d, 12h, 2026-11-01, 2026-11-01T08:00:00Z.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    until: Annotated[str, typer.Option(help="Up to when, written the same way.")] = "0s",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it, change nothing.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Show so many moves at most.")] = 50,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all moves.")] = False,
) -> None:
    """Decide again about the statements that arrived since, after the rules have changed.

    What is further along now is sent; nothing goes back. The daemon may run meanwhile, with the new
    rules. Statements older than `store.retention_days` are gone.

    **Example:** `pointsman replay --since 7d --dry-run`
    """
    settings = load(config)
    start, end = parse_time(since), parse_time(until)
    total = _Total()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("deciding again", total=max(1, end - start))

        def on_page(page: ReplayPage) -> None:
            total.add(page)
            progress.update(bar, completed=page.reached - start)

        action = None if dry_run else begun(ActionKind.REPLAY, {"since": since, "until": until})
        asyncio.run(run_replay(settings, since=start, until=end, action=action, on_page=on_page))
    if as_json:
        typer.echo(json.dumps(_as_json(total), indent=2))
        return
    _print(total, limit, wide=wide)
    if dry_run:
        typer.echo("Nothing was changed: this was a dry run.")


def _print(total: _Total, limit: int, *, wide: bool) -> None:
    typer.echo(f"{counted(total.statements, 'statement')} decided again")
    if total.skipped:
        typer.echo(f"{total.skipped:,} of them are valid no longer, and were left alone")
    if total.outcomes:
        table = PlainTable("was", "is", "statements")
        for (before, after), count in total.outcomes.most_common():
            table.add_row(before.value, after.value, f"{count:,}")
        print_table(table, wide=wide)
    moves = list(total.moves.values())
    if moves[:limit]:
        table = PlainTable("learner", "target", "was", "is", "rule")
        for move in up_to(moves, limit):
            target = f"{move.target.kind.value} {move.target.key}"
            was = "-" if move.before is None else str(move.before)
            table.add_row(str(move.recipient), target, was, str(move.after), move.rule)
        print_table(table, wide=wide)
    typer.echo(f"desired states that move: {len(moves):,}")


def _as_json(total: _Total) -> dict[str, object]:
    return {
        "statements": total.statements,
        "skipped": total.skipped,
        "outcomes": [
            {"was": before.value, "is": after.value, "statements": count}
            for (before, after), count in total.outcomes.items()
        ],
        "moves": [
            {
                "learner": str(move.recipient),
                "kind": move.target.kind.value,
                "key": move.target.key,
                "was": move.before,
                "is": move.after,
                "rule": move.rule,
            }
            for move in total.moves.values()
        ],
    }
