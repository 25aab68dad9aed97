"""Tables: nothing in them is cut off, at any width, and piped each row is one line."""

from __future__ import annotations

import inspect
import io
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group

from pointsman.cli import COMMANDS
from pointsman.cli.output import PlainTable, print_table, up_to

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
    monkeypatch.setenv("LINES", "25")
    monkeypatch.setenv("TERM", "dumb")
    table = PlainTable("learner", "target", "wanted", "since", "reason")
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
    assert re.sub(r"\s", "", shown).count("".join(words)) >= 1


@pytest.mark.parametrize("columns", [30, 80, 120])
def test_what_is_too_wide_for_a_terminal_is_a_list_with_each_header(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    lines = printed(monkeypatch, *ROW, columns=columns, tty=True).splitlines()

    labels = [line.split()[0] for line in lines if line and not line.startswith(" ")]
    assert labels == ["learner", "target", "wanted", "since", "reason"]
    assert re.sub(r"\s", "", REASON) in re.sub(r"\s", "", "".join(lines))


def test_what_fits_stays_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = printed(monkeypatch, *ROW[:4], "none", columns=120, tty=True)

    (line,) = (line for line in shown.splitlines() if "ana@" in line)
    assert line.count("│") == 6


def test_a_table_without_headers_stays_one_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "25")
    monkeypatch.setenv("TERM", "dumb")
    table = PlainTable(show_header=False, box=None)
    table.add_row("activity", "a" * 100)

    print_table(table)

    assert isinstance(sys.stdout, Terminal)
    assert sys.stdout.getvalue().startswith(" activity")
    assert sys.stdout.getvalue().count("a") == 101


TEXTS = ["[red]", "[/]", "[link=x]y[/link]", ":smile:", "a [b] c", "{x}", "\\[red]"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("tty", [True, False])
def test_a_text_is_no_markup(monkeypatch: pytest.MonkeyPatch, text: str, *, tty: bool) -> None:
    assert text in printed(monkeypatch, *ROW[:4], text, columns=200, tty=tty)


@pytest.mark.parametrize(
    ("text", "shown"), [("a\nb", "a\\nb"), ("a\tb", "a\\tb"), ("a\x1b[31mb", "a\\x1b[31mb")]
)
def test_what_can_not_be_seen_breaks_no_row(
    monkeypatch: pytest.MonkeyPatch, text: str, shown: str
) -> None:
    lines = printed(monkeypatch, *ROW[:4], text, columns=200, tty=False).splitlines()
    assert [shown in line for line in lines if "ana@" in line] == [True]


def test_rows_that_are_left_out_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert up_to([1, 2], 2) == [1, 2]
    assert capsys.readouterr().err == ""
    assert up_to([1, 2, 3], 2) == [1, 2]
    assert "--limit" in capsys.readouterr().err


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Each command that does something, by its whole name."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for part, below in command.commands.items():
        yield from commands(f"{name} {part}", below)


def test_every_command_that_prints_a_table_has_json_and_wide() -> None:
    """A module that prints one has at least a command that does; others of it print a line."""
    without: set[str] = set()
    for lazy in COMMANDS:
        printing = set()
        for name, command in commands(lazy.name, lazy.load()):
            options = {option for parameter in command.params for option in parameter.opts}
            if options & {"--json", "--wide"}:
                printing.add(name)
                without |= {name} if not {"--json", "--wide"} <= options else set()
        source = Path(inspect.getfile(import_module(lazy.module))).read_text()
        if "print_table(" in source:
            assert printing, lazy.name
        else:
            without -= printing
    assert without == set()
