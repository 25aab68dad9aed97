"""docs/security.md names a test for each promise, and each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
PROMISES = re.findall(
    r"^\| (.+?) \| (.+) \|$",
    PAGE.partition("## Promises")[2].partition("## What the proxy")[0],
    re.MULTILINE,
)[2:]
#: rows whose test is a run of its own
RUNS = {"`make soak`"}


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize(("promise", "tests"), PROMISES, ids=[row[0][:40] for row in PROMISES])
def test_each_promise_has_tests_that_are_there(promise: str, tests: str) -> None:
    if tests in RUNS:
        return
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)
    assert ", ".join(f"`{path}::{name}`" for path, name in named) == tests
    for path, name in named:
        assert name in functions(ROOT / path), f"{promise}: {path} has no {name}"


def test_there_are_promises() -> None:
    assert len(PROMISES) > 20
