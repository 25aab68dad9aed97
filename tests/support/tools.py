"""Programs that a test needs besides Python."""

from __future__ import annotations

import shutil

import pytest


def need(*programs: str) -> list[str]:
    """Their paths; skips the test where one of them is missing."""
    paths = {name: shutil.which(name) for name in programs}
    if missing := [name for name, path in paths.items() if path is None]:
        pytest.skip(f"needs {' and '.join(missing)}")
    return [path for path in paths.values() if path is not None]
