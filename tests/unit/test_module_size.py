"""A module that grows beyond a few screens has two reasons to change: CONTRIBUTING.md, Habits."""

from __future__ import annotations

from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "pointsman"
MOST_LINES = 300


def test_no_module_has_more_than_300_lines() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in SOURCE.rglob("*.py")}

    assert lines
    assert not {str(path): count for path, count in lines.items() if count > MOST_LINES}
