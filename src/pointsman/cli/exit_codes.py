"""The exit codes of all commands, and which one an error ends a command with."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TypeGuard

import typer


class ExitCode(IntEnum):
    """What a script can go by. docs/runbook.md has the same table."""

    OK = 0
    NO = 1
    WRONG = 2
    AWAY = 3


MEANINGS = {
    ExitCode.OK: "fine",
    ExitCode.NO: "the command's answer is no: the books do not balance, the platform refuses, "
    "there is no such thing",
    ExitCode.WRONG: "the configuration or an option is wrong, or there is no store yet; the "
    "message names it",
    ExitCode.AWAY: "what the command needs does not answer now: the store, the daemon, the "
    "platform, another record store; try again. Or the store's file is not sound",
}


def epilog() -> str:
    """The table, for the end of `pointsman --help`."""
    lines = "\n".join(f"- {code.value}: {meaning}" for code, meaning in MEANINGS.items())
    return f"Exit codes:\n\n{lines}"


@contextmanager
def errors_end_the_command() -> Iterator[None]:
    """Print an error that has an exit code on standard error, without a traceback, and exit."""
    try:
        yield
    except Exception as error:
        code = _code(error)
        if code is None:
            raise
        words = f"the output can't be written: {error.strerror}" if _is_full(error) else str(error)
        typer.echo(words, err=True)
        raise typer.Exit(code) from None


def _code(error: Exception) -> ExitCode | None:
    # `pointsman --help` needs neither errors nor settings
    from pointsman.domain.errors import ConfigError, Retry  # noqa: PLC0415 - not before it is needed

    if isinstance(error, ConfigError):
        return ExitCode.WRONG
    return ExitCode.AWAY if isinstance(error, Retry) or _is_full(error) else None


def _is_full(error: Exception) -> TypeGuard[OSError]:
    """Whether there is no room for what is written: a redirection to a full disk."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
