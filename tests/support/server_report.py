"""Which servers a run used, for its report: each worker notes the servers that it started."""

from __future__ import annotations

import pytest

_KEY = pytest.StashKey[set[str]]()
_OUTPUT = "served"


def _noted(config: pytest.Config) -> set[str]:
    if _KEY not in config.stash:
        config.stash[_KEY] = set()
    return config.stash[_KEY]


def note(config: pytest.Config, what: str) -> None:
    """`what` is said at the end of the run."""
    _noted(config).add(what)


def tell_controller(config: pytest.Config) -> None:
    """A worker's notes go to the process that reports."""
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output[_OUTPUT] = sorted(_noted(config))


def add_from_worker(config: pytest.Config, output: dict[str, list[str]]) -> None:
    """What a worker noted."""
    for what in output.get(_OUTPUT, ()):
        note(config, what)


def report(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for what in sorted(_noted(config)):
        terminalreporter.write_line(what)
