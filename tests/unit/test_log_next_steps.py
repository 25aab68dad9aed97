"""docs/runbook.md says it: a line above `info` says in `next` what to do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pointsman

SOURCE = Path(pointsman.__file__).parent
LEVELS = {"warning", "error", "critical", "exception"}


def calls_without_next(text: str) -> Iterator[int]:
    """The lines of calls of a logger above `info` that have no `next`."""
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LEVELS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id.endswith("log")
            # of what ** adds, only a run can tell
            and not any(keyword.arg in {"next", None} for keyword in node.keywords)
        ):
            yield node.lineno


@pytest.mark.parametrize(
    "line", ['log.warning("away", reason="x")', 'delivery_log.error("a fault")', "_log.warning(x)"]
)
def test_a_warning_without_a_next_step_is_found(line: str) -> None:
    assert list(calls_without_next(line)) == [1]


def test_every_warning_and_error_of_the_daemon_says_what_to_do() -> None:
    # the emulator is a tool of tests, with no operator
    modules = [path for path in SOURCE.rglob("*.py") if "emulator" not in path.parts]

    assert len(modules) > 100
    assert [
        f"{path.relative_to(SOURCE)}:{line}"
        for path in modules
        for line in calls_without_next(path.read_text(encoding="utf-8"))
    ] == []
