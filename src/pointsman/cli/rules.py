"""`pointsman rules` puts statements through the rules and shows what they would do."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.output import PlainTable, WideOption, print_table
from pointsman.config import load
from pointsman.domain.quantities import counted
from pointsman.domain.records import InputOutcome
from pointsman.domain.targets import TargetKind

if TYPE_CHECKING:
    from pointsman.commands import RuleResult, RuleTrial

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="The rules: what they would do with statements, without doing it.",
)


@app.callback()
def rules() -> None:
    """So that `test` stays a word of its own."""


@app.command("test")
def try_rules(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Statements: a JSON text, or one in each line; also .gz or .zst.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    last: Annotated[
        int, typer.Option("--last", min=1, help="Without FILE: so many of the store's newest.")
    ] = 100,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="TOML",
            help="Another configuration: show what its rules would change.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    differing: Annotated[
        bool, typer.Option("--differing", help="With --against: only what they would change.")
    ] = False,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the rules make of statements; nothing is stored, and nothing sent.

    The statements are those of a file, or the newest of the store. A launch's own terms count for
    statements of the store. Exit code 1 where one of them would be a dead letter.

    **Example:** `pointsman rules test statements.json --against new.toml`
    """
    if differing and against is None:
        raise typer.BadParameter("--differing needs --against")
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    trials: list[RuleTrial] = []
    other = None if against is None else load(against)
    asyncio.run(commands.try_rules(load(config), other, trials.append, path=file, last=last))
    shown = [trial for trial in trials if trial.differs or not differing]
    if as_json:
        typer.echo(json.dumps([_as_json(trial) for trial in shown], indent=2, ensure_ascii=False))
        _end(trials)
        return
    if shown:
        print_table(_table(shown, against), wide=wide)
    typer.echo(_summary(trials, against))
    _end(trials)


def _end(trials: list[RuleTrial]) -> None:
    if any(trial.result.outcome is InputOutcome.DEAD for trial in trials):
        raise typer.Exit(ExitCode.NO)


def _table(trials: list[RuleTrial], against: Path | None) -> PlainTable:
    headers = ["statement", "verb", "activity", "outcome", "rule", "what it asks for, or why not"]
    if against is not None:
        headers.append(f"with {against}")
    table = PlainTable(*headers)
    for trial in trials:
        result = trial.result
        cells = [
            trial.place,
            trial.verb.rpartition("/")[2],
            trial.activity,
            result.outcome.value,
            result.rule,
            _said(result),
        ]
        if trial.other is not None:
            same = "the same" if not trial.differs else f"{_named(trial.other)}{_said(trial.other)}"
            cells.append(same)
        table.add_row(*cells)
    return table


def _named(result: RuleResult) -> str:
    return f"{result.outcome.value}{result.rule and f' by {result.rule}'}: "


def _said(result: RuleResult) -> str:
    if not result.wanted:
        return result.reason
    said = []
    for wanted in result.wanted:
        unit = " %" if wanted.target.kind is TargetKind.TOPIC_PROGRESS else ""
        value = "counts towards it" if wanted.is_part else f"{wanted.value}{unit}"
        said.append(f"{wanted.target.kind.value} {wanted.target.key}: {value}")
    return f"{wanted.recipient}: {', '.join(said)}{result.reason and '; '}{result.reason}"


def _summary(trials: list[RuleTrial], against: Path | None) -> str:
    counts = Counter(trial.result.outcome.value.replace("_", " ") for trial in trials)
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    words = f"{counted(len(trials), 'statement')}{outcomes and ': '}{outcomes}; nothing was stored"
    if against is not None:
        words += f". {sum(trial.differs for trial in trials)} would differ with {against}"
    return f"{words}."


def _as_json(trial: RuleTrial) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "place": trial.place,
        "statement": trial.statement_id,
        "verb": trial.verb,
        "activity": trial.activity,
        **_result_as_json(trial.result),
    }
    if trial.other is not None:
        shown |= {"against": _result_as_json(trial.other), "differs": trial.differs}
    return shown


def _result_as_json(result: RuleResult) -> dict[str, Any]:
    return {
        "outcome": result.outcome.value,
        "rule": result.rule,
        "reason": result.reason,
        "wanted": [
            {
                "recipient": str(wanted.recipient),
                "kind": wanted.target.kind.value,
                "key": wanted.target.key,
                "value": wanted.value,
                "isPart": wanted.is_part,
            }
            for wanted in result.wanted
        ],
    }
