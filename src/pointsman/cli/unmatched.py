"""`pointsman unmatched` shows activities that no rule takes, and proposes rules for them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption, ask_store
from pointsman.cli.output import PlainTable, WideOption, echo_visible, print_table, up_to
from pointsman.cli.times import iso_time
from pointsman.config import Settings, load
from pointsman.mapping.proposals import propose_rules
from pointsman.mapping.rule_finder import RuleFinder
from pointsman.store.base import UnmatchedSummary
from pointsman.wiring.mapping import rules


def unmatched(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    learner: Annotated[
        str | None, typer.Option("--learner", help="What this learner did; looks through all.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most.")] = 100,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show activities that no rule takes, the most frequent first, and rules that would take them.

    Where a rule takes nearly the same activity, that is shown too.

    The sample is a statement's id: GET it at `/xapi/statements?statementId=`. After writing a rule,
    `pointsman replay` applies it to what is here already.

    **Example:** `pointsman unmatched --limit 20`

    **Example:** `pointsman unmatched --learner ana@example.com`
    """
    settings = load(config)
    activities = up_to(_activities(settings, learner, limit + 1), limit)
    known = rules(settings)
    proposals = propose_rules((row.activity for row in activities), known)
    near_miss = RuleFinder(known).near_miss
    near = {row.activity: words for row in activities if (words := near_miss(row.activity))}
    if as_json:
        listed = [
            {
                "activity": row.activity,
                "inputs": row.inputs,
                "sample": row.sample_id,
                "near_miss": near.get(row.activity),
                "first": iso_time(row.first_at),
                "last": iso_time(row.last_at),
            }
            for row in activities
        ]
        proposed = [asdict(proposal) for proposal in proposals]
        typer.echo(json.dumps({"activities": listed, "rules": proposed}, indent=2))
        return
    if not activities:
        whose = "" if learner is None else f" that {learner} did"
        typer.echo(f"Every activity{whose} is taken by a rule.")
        return
    table = PlainTable("activity", "inputs", "first", "last", "a statement of it")
    for row in activities:
        table.add_row(
            row.activity,
            f"{row.inputs:,}",
            iso_time(row.first_at),
            iso_time(row.last_at),
            row.sample_id,
        )
    print_table(table, wide=wide)
    for activity, words in near.items():
        echo_visible(f"Nearly taken: {activity}: {words}.\n")
    typer.echo("Rules that would take them, to be looked over:\n")
    for proposal in proposals:
        like = f"  # as in the rule {proposal.like!r}" if proposal.like else ""
        echo_visible(
            f'[[rules]]\nactivity = "{proposal.activity}"\ntopic_id = "{proposal.topic_id}"{like}\n'
        )


def _activities(settings: Settings, learner: str | None, limit: int) -> list[UnmatchedSummary]:
    if learner is None:
        return ask_store(settings, lambda store: store.unmatched(limit=limit))
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman.commands import unmatched_of  # noqa: PLC0415 - not before it is needed

    return asyncio.run(unmatched_of(settings, learner))[:limit]
