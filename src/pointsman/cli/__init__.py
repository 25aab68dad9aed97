"""The command `pointsman`. Each subcommand stands in the module of its name."""

from __future__ import annotations

from typing import Annotated

import typer

from pointsman import __version__
from pointsman.cli import cmi5, db, dead_letters, faults, launches, parked, platform, tokens
from pointsman.cli.audit import audit
from pointsman.cli.check import check
from pointsman.cli.emulate import emulate
from pointsman.cli.import_ import import_
from pointsman.cli.import_state import import_state
from pointsman.cli.replay import replay
from pointsman.cli.run import run
from pointsman.cli.unmatched import unmatched
from pointsman.cli.verify import verify

app = typer.Typer(
    name="pointsman",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    # a daemon's log wants plain tracebacks, and local variables in one could show a secret
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pointsman {__version__}")
        raise typer.Exit


@app.callback()
def pointsman(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say which it is."),
    ] = False,
) -> None:
    """Delivers learning progress from xAPI players and Kafka to the Thought Industries platform.

    Start with `pointsman check`, which reads your configuration and says in plain words
    what it means; then `pointsman run`. No platform at hand? `pointsman emulate`
    is one.

    Exit codes: 0 fine; 1 the command's answer is no; 2 the configuration or an option is wrong.
    """


for command in (run, check, emulate, verify, unmatched, replay, audit, import_state):
    app.command()(command)
app.command("import")(import_)
app.add_typer(parked.app, name="parked")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(cmi5.app, name="cmi5")
app.add_typer(db.app, name="db")
app.add_typer(platform.app, name="platform")
app.add_typer(tokens.app, name="tokens")
app.add_typer(launches.app, name="launches")
app.add_typer(faults.app, name="faults")


def main() -> None:
    """The entry point of the installed command."""
    app()
