"""Subcommands that are imported when they run, so that `pointsman --help` loads none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

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

    return LazyGroup
