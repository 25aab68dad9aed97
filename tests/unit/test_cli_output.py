"""Tables: nothing in them is cut off, at any width, and piped each row is one line."""

from __future__ import annotations

import io
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group
from rich.table import Table

from pointsman.cli.output import print_table

REASON = (
    "refused: NOT_FOUND: there is no topic topic_that_has_a_name_of_more_than_forty_characters_1 "
    "(next: see that topic_id of the rule names what the platform has; then pointsman parked retry)"
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(
    monkeypatch: pytest.MonkeyPatch, *cells: str, columns: int, tty: bool, wide: bool = False
) -> str:
    screen = Terminal() if tty else io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    table = Table("learner", "target", "wanted", "since", "reason")
    table.add_row(*cells)
    print_table(Group(table), wide=wide)
    return screen.getvalue()


ROW = ("ana@example.com", "topic_progress topic_demo_1", "62", "2026-11-29T05:20:02Z", REASON)


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_piped_each_row_is_one_line(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    (line,) = (
        line
        for line in printed(monkeypatch, *ROW, columns=columns, tty=False).splitlines()
        if "ana@" in line
    )

    for cell in ROW:
        assert cell in line


def test_wide_does_the_same_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert REASON in printed(monkeypatch, *ROW, columns=80, tty=True, wide=True)


@given(words=st.lists(st.text("abc_", min_size=1, max_size=60), min_size=1, max_size=8))
def test_at_80_columns_no_character_is_lost(words: list[str]) -> None:
    reason = " ".join(words)
    with pytest.MonkeyPatch.context() as patched:
        shown = printed(patched, *ROW[:4], reason, columns=80, tty=True)

    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    column = "".join(line.split("│")[-2] for line in shown.splitlines() if line.count("│") == 6)
    assert re.sub(r"\s", "", column) == "".join(words)
