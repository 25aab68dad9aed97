"""`pointsman import-state`, over HTTP against the emulator."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from typer.testing import Result

from pointsman.domain.records import InputOutcome, Submission
from pointsman.domain.targets import ReadBackPlace
from pointsman.store.base import Books
from pointsman.store.sqlite import SqliteStore
from tests.support.change_factory import change, course, topic, wants
from tests.support.cli_terminal import ANA, Terminal
from tests.support.store_queries import read_books

CSV = "learner,course_id,course_slug\nana@example.com,course_abc123,intro-to-python\n"


def run(terminal: Terminal, *arguments: str, code: int = 0) -> Result:
    return terminal.run("import-state", *arguments, code=code)


def books(terminal: Terminal) -> Books:
    return read_books(terminal.folder / "books.db")


def ingest(terminal: Terminal, *submissions: Submission) -> None:
    async def write() -> None:
        store = SqliteStore(terminal.folder / "books.db")
        await store.open()
        await store.ingest(submissions)
        await store.close()

    asyncio.run(write())


def test_history_that_comes_after_an_import_is_not_sent(terminal: Terminal) -> None:
    courses = terminal.folder / "courses.csv"
    courses.write_text(CSV)
    assert (
        "1 taken as delivered, 0 courses and paths could not be read"
        in run(terminal, str(courses)).output
    )
    ingest(terminal, wants(change(ANA, course("intro-to-python"), "completed")))
    found = books(terminal)
    assert (found.delivered, found.dirty) == (1, 0)
    assert found.outcomes[InputOutcome.SUPERSEDED] == 1
    assert "0 taken as delivered" in run(terminal, str(courses)).output


def test_what_waits_and_stands_there_already_is_not_sent(terminal: Terminal) -> None:
    ingest(
        terminal,
        wants(
            replace(
                change(ANA, course("x"), "completed"),
                read_back=ReadBackPlace.course("course_abc123"),
            )
        ),
        wants(
            replace(
                change(ANA, topic("topic_demo_1"), 100),
                read_back=ReadBackPlace.course("course_demo"),
            )
        ),
    )
    assert "1 taken as delivered" in run(terminal).output
    found = books(terminal)
    assert (found.delivered, found.dirty, found.balanced) == (1, 1, True)


def test_what_can_not_be_read_is_named_with_the_reason(terminal: Terminal) -> None:
    courses = terminal.folder / "courses.jsonl"
    courses.write_text(
        '{"learner": "ana@example.com", "course_id": "none"}\n'
        '{"learner": "ana@example.com", "course_id": "course_abc123"}\n'
        '{"learner": "eve@example.com", "course_id": "course_abc123"}\n'
    )
    said = run(terminal, str(courses), code=1).output
    assert "ana@example.com: course:none: can't be read: there is no course" in said
    assert "eve@example.com: course:course_abc123: learners.tokens.inline has none" in said
    assert "1 taken as delivered, 2 courses and paths could not be read" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("learner,course\na,b\n", "line 2: has course"),
        ("learner,course_id\n,b\n", "line 2: has no learner"),
        (
            '{"learner": "a", "course_id": "b", "course_slug": "c", "course_sku": "d"}',
            "line 1: has course_slug and",
        ),
        ('{"learner": "a"', "line 1: is not JSON"),
    ],
)
def test_a_file_that_is_wrong_is_refused_line_by_line(
    terminal: Terminal,
    text: str,
    words: str,
) -> None:
    courses = terminal.folder / "courses"
    courses.write_text(text)
    assert words in run(terminal, str(courses), code=2).output


def test_a_store_that_a_daemon_has_open_is_left_alone(terminal: Terminal) -> None:
    async def held() -> None:
        store = SqliteStore(terminal.folder / "books.db")
        await store.open()
        try:
            said = await asyncio.to_thread(run, terminal, code=2)
            assert "store.url" in said.output
        finally:
            await store.close()

    asyncio.run(held())
