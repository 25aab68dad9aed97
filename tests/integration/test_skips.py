"""A test that needs a program that is missing: skipped by name, and a failure where asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TEST = """
from tests.support.tools import need

def test_that_needs_a_program():
    need("sh", "no-such-program")
"""


@pytest.mark.parametrize(
    ("no_skip", "code", "outcome"), [("", 0, "1 skipped"), ("1", 1, "1 failed")]
)
def test_a_missing_program_is_named_and_fails_the_run_where_nothing_may_be_skipped(
    no_skip: str, code: int, outcome: str, tmp_path: Path
) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"),
            *("-c", "pyproject.toml", str(tmp_path / "test_it.py")),
        ],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "POINTSMAN_TEST_NO_SKIP": no_skip},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stdout
    assert outcome in ended.stdout
    assert "needs no-such-program" in ended.stdout
