"""The command `pointsman`. Each subcommand is in the module of its name."""

from __future__ import annotations

from typing import Annotated

import typer

from pointsman import __version__
from pointsman.cli.exit_codes import epilog
from pointsman.cli.lazy_commands import MARKUP, LazyCommand, lazy_group

COMMANDS = (
    LazyCommand(
        "run",
        "Run the daemon until SIGTERM or Ctrl-C, then drain and stop.",
        "pointsman.cli.run",
        "run",
    ),
    LazyCommand(
        "wait",
        "Wait until the daemon takes statements, the platform answers, or all is delivered.",
        "pointsman.cli.wait",
        "wait",
    ),
    LazyCommand(
        "explain",
        "Say why a learner's state is what it is: what came, moved, was sent and was answered.",
        "pointsman.cli.explain",
        "explain",
    ),
    LazyCommand(
        "check",
        "Check the configuration and say in plain words what it means.",
        "pointsman.cli.check",
        "check",
    ),
    LazyCommand(
        "schema",
        "Print a JSON Schema of the configuration file, by which editors complete and check it.",
        "pointsman.cli.schema",
        "schema",
    ),
    LazyCommand(
        "doctor",
        "Check an installation from end to end, and name a cure for what is wrong.",
        "pointsman.cli.doctor",
        "doctor",
    ),
    LazyCommand(
        "reload",
        "Have every running daemon take on the changed configuration, all of it or nothing.",
        "pointsman.cli.reload",
        "reload",
    ),
    LazyCommand(
        "rules",
        "The rules: what they would do with statements, without doing it.",
        "pointsman.cli.rules",
    ),
    LazyCommand(
        "emulate",
        "Serve an emulated platform: GraphQL at /helium with prices, quotas and expiring tokens.",
        "pointsman.cli.emulate",
        "emulate",
    ),
    LazyCommand(
        "deliveries",
        "Hand out what was sent since: what was wanted, sent and answered, and how long it took.",
        "pointsman.cli.deliveries",
        "deliveries",
    ),
    LazyCommand(
        "simulate",
        "Run the scheduler in virtual time: how many learners does a quota carry?",
        "pointsman.cli.simulate",
        "simulate",
    ),
    LazyCommand(
        "verify",
        "Add up the store's books: is every input, and all desired state, accounted for?",
        "pointsman.cli.verify",
        "verify",
    ),
    LazyCommand(
        "unmatched",
        "Show activities that no rule takes, the most frequent first, and rules that would take "
        "them.",
        "pointsman.cli.unmatched",
        "unmatched",
    ),
    LazyCommand(
        "replay",
        "Decide again about the statements that arrived since, after the rules have changed.",
        "pointsman.cli.replay",
        "replay",
    ),
    LazyCommand(
        "audit",
        "Show how far the platform agrees with what was delivered, by course and learning path.",
        "pointsman.cli.audit",
        "audit",
    ),
    LazyCommand(
        "confirmations",
        "What the platform says by itself: who is stuck, and its feed.",
        "pointsman.cli.confirmations",
    ),
    LazyCommand(
        "import-state",
        "Take what the platform already knows as delivered, before the daemon's first start.",
        "pointsman.cli.import_state",
        "import_state",
    ),
    LazyCommand(
        "import",
        "Take statements of the past in, at a pace that leaves live traffic alone.",
        "pointsman.cli.import_",
        "import_",
    ),
    LazyCommand(
        "parked",
        "Desired state that can't be sent for a reason that time won't cure: see, retry, drop it.",
        "pointsman.cli.parked",
    ),
    LazyCommand(
        "status",
        "Say what is paused, how much waits, and which configuration each daemon runs.",
        "pointsman.cli.status",
        "status",
    ),
    LazyCommand(
        "pause",
        "Stop sending to the platform, all or one kind of target, until `pointsman resume`.",
        "pointsman.cli.pause",
        "pause",
    ),
    LazyCommand(
        "resume",
        "Send again what was paused: one kind of target, or all that is paused.",
        "pointsman.cli.pause",
        "resume",
    ),
    LazyCommand(
        "dead-letters",
        "Inputs that could not be understood: see them, read them again, drop them.",
        "pointsman.cli.dead_letters",
    ),
    LazyCommand(
        "activity",
        "Show what operators did, the newest first: who, what, when, from where, how it ended.",
        "pointsman.cli.activity",
        "activity",
    ),
    LazyCommand(
        "forget",
        "Erase a person from the store, and prove it by searching every byte.",
        "pointsman.cli.forget",
        "forget",
    ),
    LazyCommand(
        "export",
        "Hand out all that the store holds of a person, as JSON.",
        "pointsman.cli.export",
        "export",
    ),
    LazyCommand(
        "who",
        "Find whom the log means by a hash.",
        "pointsman.cli.who",
        "who",
    ),
    LazyCommand("cmi5", "cmi5 courses.", "pointsman.cli.cmi5"),
    LazyCommand(
        "db",
        "The store: what it holds and how big it is, its schema, a copy of it and back.",
        "pointsman.cli.db",
    ),
    LazyCommand(
        "platform",
        "What the platform says, in tables or as JSON. Each command spends a few points.",
        "pointsman.cli.platform",
    ),
    LazyCommand("tokens", "The authTokens' encryption at rest.", "pointsman.cli.tokens"),
    LazyCommand("launches", "Players that your pages start.", "pointsman.cli.launches"),
    LazyCommand(
        "help",
        "Show a page of the docs, or a section of one: the runbook by alert, offline.",
        "pointsman.cli.help_",
        "help_",
    ),
    LazyCommand(
        "faults",
        "Faults on purpose at a running `pointsman emulate`: list them, add one, clear them.",
        "pointsman.cli.faults",
    ),
)

app = typer.Typer(
    name="pointsman",
    cls=lazy_group(COMMANDS),
    no_args_is_help=True,
    epilog=epilog(),
    rich_markup_mode=MARKUP,
    # a daemon's log wants plain tracebacks, and local variables in one could show a secret
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from pointsman.package_files import commit  # noqa: PLC0415 - not before it is needed

        of = commit()
        typer.echo(f"pointsman {__version__}" + (f" (commit {of})" if of else ""))
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
    """


def main() -> None:
    """The entry point of the installed command."""
    app()
