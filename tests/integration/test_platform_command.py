"""`pointsman platform`, each command as a person types it, over HTTP against the emulator."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pointsman.cli import app
from pointsman.clock import SystemClock
from pointsman.emulator import Emulator, builtin_catalogue
from pointsman.emulator.server import serve

KEY = "the-api-key"
ANA = "ana@example.com"
PATH = "data-science-professional-certificate"
CONFIG = """
[store]
url = "sqlite:///books.db"
[platform]
url = "{url}"
api_key = "{key}"
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[learners.tokens]
inline = {{ "ana@example.com" = "{token}" }}
"""


@dataclass
class Terminal:
    folder: Path
    emulator: Emulator
    token: str

    def run(self, *arguments: str, code: int = 0, says: str = "") -> Result:
        """`pointsman platform ARGUMENTS`, which ends with this exit code."""
        config = str(self.folder / "pointsman.toml")
        result = CliRunner(env={"COLUMNS": "200"}).invoke(
            app, ["platform", *arguments, "-c", config], input=says
        )
        assert result.exit_code == code, result.output
        assert KEY not in result.output
        assert self.token not in result.output
        return result

    def json(self, *arguments: str) -> object:
        shown: object = json.loads(self.run(*arguments, "--json").stdout)
        return shown


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """The emulator runs in a thread of its own; Ana has completed a course and its milestone."""
    emulator = Emulator(builtin_catalogue(), api_key=KEY, clock=SystemClock())
    token = emulator.issue_token(ANA)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()
    urls: list[str] = []

    async def main() -> None:
        async with serve(emulator, host="127.0.0.1", port=0) as url:
            for course in ("course_abc123", "course_def456"):
                query = f'mutation {{ UpdateCourseStatus(id: "{course}", status: "completed") }}'
                await emulator.handle(
                    query={"apiKey": KEY},
                    headers={"authToken": token},
                    body=json.dumps({"query": query}).encode(),
                )
            urls.append(url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    assert ready.wait(10)
    (tmp_path / "pointsman.toml").write_text(CONFIG.format(url=urls[0], key=KEY, token=token))
    yield Terminal(tmp_path, emulator, token)
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


def test_learning_path_show(terminal: Terminal) -> None:
    shown = terminal.run("learning-path", "show", PATH).output
    assert "Module 1: Python Basics" in shown
    assert "499.00 USD" in shown
    with_learner = terminal.json("learning-path", "show", PATH, "--learner", ANA)
    assert isinstance(with_learner, dict)
    assert with_learner["currentUserStartActionDate"] is not None


def test_learning_path_create(terminal: Terminal) -> None:
    path = terminal.folder / "path.toml"
    path.write_text('name = "Mine"\n[[milestones]]\nname = "M"\ncourse_ids = ["crs_01ABC"]\n')
    terminal.run("learning-path", "create", str(path), code=1, says="n\n")
    made = terminal.run("learning-path", "create", str(path), "--yes").output
    assert "made as a draft: mine" in made
    assert "Company Culture & Values" in made
    path.write_text('nam = "Mine"\n[[milestones]]\nname = ""\n[[milestones]]\nname = "M"\n')
    refused = terminal.run("learning-path", "create", str(path), "--yes", code=2).output
    keys = [line.split(": ")[1] for line in refused.strip().splitlines()]
    assert keys == ["name", "milestones[0].name", "nam"]
    path.write_text('name = "Mine"\n[[milestones]]\nname = "M"\ncourse_ids = ["none"]\n')
    refused = terminal.run("learning-path", "create", str(path), "--yes", code=1).output
    assert "NOT_FOUND: there is no course with the id 'none'" in refused


def test_milestone_show(terminal: Terminal) -> None:
    shown = terminal.run("milestone", "show", "milestone_001").output
    assert "Intro to Python" in shown
    assert "2 of requiredCourses" in shown
    refused = terminal.run("milestone", "show", "none", code=1).output
    assert "NOT_FOUND" in refused
    assert "next: " in refused


def test_milestones(terminal: Terminal) -> None:
    assert "Module 1: Python Basics" in terminal.run("milestones", PATH, "--learner", ANA).output
    none = terminal.run("milestones", "yard-foreman", "--learner", ANA).output
    assert "No milestone is completed." in none


def test_course_progress(terminal: Terminal) -> None:
    shown = terminal.json("course", "progress", "course_abc123", "--learner", ANA)
    assert shown == {"totalViews": 0, "totalTime": 0, "percentComplete": 100}
    assert "100 %" in terminal.run("course", "progress", "course_abc123", "--learner", ANA).output


def test_course_pages(terminal: Terminal) -> None:
    none = terminal.run("course", "pages", "course_demo", "--learner", ANA).output
    assert "No page is completed." in none


def test_course_criteria(terminal: Terminal) -> None:
    shown = terminal.run("course", "criteria", "course_456", "--learner", ANA).output
    assert "courseTopicViewed" in shown
    assert "topic_103" in shown


def test_a_learner_without_a_token_is_named_with_where_one_was_looked_for(
    terminal: Terminal,
) -> None:
    words = terminal.run(
        "course", "pages", "course_demo", "--learner", "x@example.com", code=1
    ).output
    assert "learners.tokens.inline has none for 'x@example.com'" in words


def test_login(terminal: Terminal) -> None:
    tokens = terminal.folder / "tokens.json"
    said = terminal.run("login", ANA, "--save-to", str(tokens), says="demo\n").output
    assert "the authToken is in" in said
    (token,) = json.loads(tokens.read_text()).values()
    assert token not in said
    assert tokens.stat().st_mode & 0o077 == 0
    password = terminal.folder / "password"
    password.write_text("wrong\n")
    refused = terminal.run("login", ANA, "--password-file", str(password), code=1).output
    assert "the e-mail address or the password is wrong" in refused
    password.write_text("demo\n")
    shown = terminal.run("login", ANA, "--password-file", str(password), "--show-token").output
    assert len(shown.splitlines()[-1]) > 20
    tokens.write_text("no JSON")
    left = terminal.run(
        "login", ANA, "--password-file", str(password), "--save-to", str(tokens), code=2
    ).output
    assert "is no token file, and is left as it is" in left
    assert tokens.read_text() == "no JSON"


def test_budget(terminal: Terminal) -> None:
    shown = terminal.json("budget")
    assert isinstance(shown, dict)
    assert shown["platform"]["points_left"] == 99_997
    assert shown["ours"]["requests_a_minute"] == 2_000
    assert "The window ends in" in terminal.run("budget").output
