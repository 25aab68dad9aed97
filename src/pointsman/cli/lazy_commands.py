"""Subcommands that are imported when they run, so that `pointsman --help` loads none of them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from pointsman.cli.exit_codes import errors_end_the_command

MARKUP: Final = "markdown"


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """One line of `pointsman --help`, and where its command is."""

    name: str
    #: the first line of the command's own help; a test compares them
    summary: str
    module: str
    #: a function, or the `typer.Typer` of a group
    attribute: str = "app"

    def load(self) -> Any:
        """Import it. Returns the click command."""
        target: typer.Typer | Callable[..., None] = getattr(
            import_module(self.module), self.attribute
        )
        parent = typer.Typer(rich_markup_mode=MARKUP)
        if isinstance(target, typer.Typer):
            parent.add_typer(target, name=self.name)
        else:
            parent.command(self.name)(target)
        return typer.main.get_group(parent).commands[self.name]


@contextmanager
def _log_to_stderr() -> Iterator[None]:
    """What goes wrong on the way is no part of a command's output; `run` logs its own way."""
    # not before it is needed: the help needs no log
    import structlog  # noqa: PLC0415 - not before it is needed

    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def lazy_group(commands: tuple[LazyCommand, ...]) -> type[TyperGroup]:
    """A group of these commands, in this order."""
    by_name = {command.name: command for command in commands}

    class LazyGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            for command in commands:
                self.add_command(TyperCommand(command.name, help=command.summary))

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            """Click asks for the command that is to run here; the help asks elsewhere."""
            name, command, rest = super().resolve_command(ctx, args)
            return name, command and by_name[str(name)].load(), rest

        def invoke(self, ctx: Any) -> Any:
            """Run it: an error that says what to do ends it without a traceback."""
            with errors_end_the_command(), _log_to_stderr():
                return super().invoke(ctx)

    return LazyGroup
