"""Finds the migrations that a schema lacks: numbered SQL files, which only go forward.

A migration is a file `NNNN_name.sql` in a store's folder `migrations`. Each runs in a transaction
of its own, which also writes the number down, so a process that is killed leaves whole steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from pointsman.domain.errors import Bug, ConfigError


@dataclass(frozen=True, slots=True)
class Migration:
    """One step; `number` is the schema after it."""

    number: int
    name: str
    sql: str


class SchemaError(ConfigError):
    """A database's schema is not that of this pointsman."""

    def __init__(self, message: str, current: int, newest: int) -> None:
        super().__init__(message)
        self.current = current
        self.newest = newest


def all_of(package: str) -> list[Migration]:
    """A store's migrations, in order. Raises `Bug` for two of one number."""
    folder = files(package).joinpath("migrations")
    steps = sorted(
        (
            Migration(int(file.name[:4]), file.name[5:-4], file.read_text(encoding="utf-8"))
            for file in folder.iterdir()
            if file.name.endswith(".sql")
        ),
        key=lambda file: file.number,
    )
    if [step.number for step in steps] != list(range(1, len(steps) + 1)):
        raise Bug(f"the migrations of {package} are not numbered one by one")
    return steps


def pending(package: str, current: int) -> list[Migration]:
    """What brings a schema up to date. Raises `ConfigError` for one that is newer than we are."""
    steps = all_of(package)
    newest = steps[-1].number
    if current > newest:
        raise SchemaError(
            f"store.url: the database has schema {current}, this pointsman knows up to {newest}; "
            "start the newer version that wrote it",
            current,
            newest,
        )
    return [step for step in steps if step.number > current]


def must_be_current(package: str, current: int) -> None:
    """Raises `ConfigError` unless a command can work on this schema as it is."""
    steps = pending(package, current)
    if steps:
        raise SchemaError(
            f"store.url: the database has schema {current}, which is older than this pointsman; "
            "run pointsman db upgrade, or start the daemon, which does it",
            current,
            steps[-1].number,
        )
