"""`pointsman forget` erases a person from the store, and proves it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.operator_identity import begun
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.times import iso_time, parse_duration
from pointsman.config import Settings, load
from pointsman.domain.operator_actions import ActionKind
from pointsman.domain.quantities import counted

if TYPE_CHECKING:
    from pointsman.domain.records import Actor
    from pointsman.privacy import Forgotten

LearnerArgument = Annotated[
    str,
    typer.Argument(
        help="The person: an address, `HOME_PAGE|NAME` of an account, an OpenID, or the learner's "
        "name on the platform.",
    ),
]


def forget(
    learner: LearnerArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be erased, and change nothing.")
    ] = False,
    refuse_for: Annotated[
        str,
        typer.Option(
            "--refuse-for",
            help="Refuse new input of this person for so long, such as 30d. The list of refused "
            "people holds keyed hashes, and no address.",
        ),
    ] = "",
    no_compact: Annotated[
        bool,
        typer.Option(
            "--no-compact",
            help="SQLite: leave what was erased in the file's free space. Without it the file is "
            "written again, and others wait meanwhile.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Erase a person from the store, and prove it by searching every byte.

    It may run beside the daemons. Run it again if it was interrupted. What it can't reach is named
    at the end: backups, write-ahead logs, Kafka topics, and the platform itself.

    **Example:** `pointsman forget ana@example.com --dry-run`, then
    `pointsman forget ana@example.com --refuse-for 30d`
    """
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    settings = load(config)
    seconds = parse_duration(refuse_for) if refuse_for else None
    request = commands.ForgetRequest(learner, dry_run, seconds, compact=not no_compact)
    action = begun(ActionKind.FORGET, {"refuse_for": refuse_for})
    done = asyncio.run(
        commands.forget(settings, action, request, lambda words: typer.echo(f"{words} …", err=True))
    )
    if as_json:
        typer.echo(json.dumps(_as_json(done, settings), indent=2, ensure_ascii=False))
    else:
        _print(done, settings)
    if not dry_run and not done.is_proved and not no_compact:
        raise typer.Exit(ExitCode.NO)


def _print(done: Forgotten, settings: Settings) -> None:
    would = "would be " if done.is_dry_run else ""
    typer.echo(f"{done.person.learner}, in the log {done.pseudonym}")
    for actor in sorted(done.person.actors, key=str):
        typer.echo(f"- {_written(actor)}")
    for what, count in sorted((+done.erased).items()):
        typer.echo(f"{what.replace('_', ' ')}: {count:,} {would}erased")
    for what, count in sorted((+done.replaced).items()):
        words = what.replace("_", " ")
        typer.echo(f"{words} of others: the person's name {would}replaced in {count:,}")
    if not +done.erased and not +done.replaced:
        typer.echo("The store holds nothing of this person; see that the name is written right.")
    if done.refused_until is not None:
        typer.echo(f"New input {would}refused until {iso_time(done.refused_until)}.")
    if not done.is_dry_run:
        typer.echo(_proof(done))
    for words in _out_of_reach(done, settings):
        typer.echo(f"- {words}")


def _written(actor: Actor) -> str:
    """An identifier in one line, as xAPI calls it."""
    return " ".join(filter(None, (actor.kind, actor.home_page, actor.value)))


def _proof(done: Forgotten) -> str:
    if done.still_naming:
        return (
            f"NOT PROVED: {counted(done.still_naming, 'record')} with the person's name, for input "
            "arrived meanwhile; run it again, with --refuse-for"
        )
    if done.remains:
        places = ", ".join(
            f"{text!r} {counted(count, 'time')}" for text, count in done.remains.items()
        )
        return (
            f"NOT PROVED: the store's files still have {places}: in free space with --no-compact, "
            "or in a form that no record has; tell us"
        )
    return "Proved: no record names the person, and no byte of the store's files does."


def _out_of_reach(done: Forgotten, settings: Settings) -> list[str]:
    """What a person has to do elsewhere."""
    kafka = [source.name for source in settings.sources.kafka]
    words = [
        "Not reached: the platform itself, logs, and copies of the store (backups).",
    ]
    if settings.store.is_shared:
        words.append(
            "Not reached: PostgreSQL's base backups and archived write-ahead logs, until they are "
            "rotated; pages that VACUUM has freed are overwritten when they are used again."
        )
    if kafka or settings.http.kafka is not None:
        words.append(
            "Not reached: Kafka topics keep their records until their retention ends; a topic that "
            "is read again from its start brings them back, unless input is refused."
        )
    if settings.learners.tokens.file is not None or settings.learners.tokens.inline is not None:
        words.append("Not reached: the operator's own table of tokens (learners.tokens).")
    for name, count in done.names_elsewhere.items():
        words.append(
            f"Statements of others have the words {name!r} {counted(count, 'time')}; a name may "
            "be somebody else's, so they were left."
        )
    return words


def _as_json(done: Forgotten, settings: Settings) -> dict[str, Any]:
    until = done.refused_until
    return {
        "learner": done.person.learner,
        "pseudonym": done.pseudonym,
        "dry_run": done.is_dry_run,
        "identifiers": sorted(map(_written, done.person.actors)),
        "erased": dict(+done.erased),
        "replaced": dict(+done.replaced),
        "refused_until": None if until is None else iso_time(until),
        "proved": done.is_proved,
        "still_naming": done.still_naming,
        "remains": done.remains,
        "names_elsewhere": done.names_elsewhere,
        "out_of_reach": _out_of_reach(done, settings),
    }
