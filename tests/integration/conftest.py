"""Fixtures of several integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli_terminal import Terminal, a_terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Commands with an emulator beside them, where Ana has completed a milestone's courses."""
    with a_terminal(tmp_path) as made:
        yield made
