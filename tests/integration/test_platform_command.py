"""`pointsman platform`, each command as a person types it, over HTTP against the emulator."""

from __future__ import annotations

import json

from tests.support.cli_terminal import ANA, Terminal

PATH = "data-science-professional-certificate"


def test_learning_path_show(terminal: Terminal) -> None:
    shown = terminal.run("platform", "learning-path", "show", PATH).output
    assert "Module 1: Python Basics" in shown
    assert "499.00 USD" in shown
    with_learner = terminal.json("platform", "learning-path", "show", PATH, "--learner", ANA)
    assert isinstance(with_learner, dict)
    assert with_learner["currentUserStartActionDate"] is not None


def test_learning_path_create(terminal: Terminal) -> None:
    path = terminal.folder / "path.toml"
    path.write_text('name = "Mine"\n[[milestones]]\nname = "M"\ncourse_ids = ["crs_01ABC"]\n')
    terminal.run("platform", "learning-path", "create", str(path), code=1, says="n\n")
    made = terminal.run("platform", "learning-path", "create", str(path), "--yes").output
    assert "made as a draft: mine" in made
    assert "Company Culture & Values" in made
    path.write_text('nam = "Mine"\n[[milestones]]\nname = ""\n[[milestones]]\nname = "M"\n')
    refused = terminal.run("platform", "learning-path", "create", str(path), "--yes", code=2).output
    keys = [line.split(": ")[1] for line in refused.strip().splitlines()]
    assert keys == ["name", "milestones[0].name", "nam"]
    path.write_text('name = "Mine"\n[[milestones]]\nname = "M"\ncourse_ids = ["none"]\n')
    refused = terminal.run("platform", "learning-path", "create", str(path), "--yes", code=1).output
    assert "NOT_FOUND: there is no course with the id 'none'" in refused


def test_milestone_show(terminal: Terminal) -> None:
    shown = terminal.run("platform", "milestone", "show", "milestone_001").output
    assert "Intro to Python" in shown
    assert "2 of requiredCourses" in shown
    refused = terminal.run("platform", "milestone", "show", "none", code=1).output
    assert "NOT_FOUND" in refused
    assert "next: " in refused


def test_milestones(terminal: Terminal) -> None:
    assert (
        "Module 1: Python Basics"
        in terminal.run("platform", "milestones", PATH, "--learner", ANA).output
    )
    none = terminal.run("platform", "milestones", "yard-foreman", "--learner", ANA).output
    assert "No milestone is completed." in none


def test_course_progress(terminal: Terminal) -> None:
    shown = terminal.json("platform", "course", "progress", "course_abc123", "--learner", ANA)
    assert shown == {"totalViews": 0, "totalTime": 0, "percentComplete": 100}
    assert (
        "100 %"
        in terminal.run("platform", "course", "progress", "course_abc123", "--learner", ANA).output
    )


def test_course_pages(terminal: Terminal) -> None:
    none = terminal.run("platform", "course", "pages", "course_demo", "--learner", ANA).output
    assert "No page is completed." in none


def test_course_criteria(terminal: Terminal) -> None:
    shown = terminal.run("platform", "course", "criteria", "course_456", "--learner", ANA).output
    assert "courseTopicViewed" in shown
    assert "topic_103" in shown


def test_a_learner_without_a_token_is_named_with_where_one_was_looked_for(
    terminal: Terminal,
) -> None:
    words = terminal.run(
        "platform", "course", "pages", "course_demo", "--learner", "x@example.com", code=1
    ).output
    assert "learners.tokens.inline has none for 'x@example.com'" in words


def test_login(terminal: Terminal) -> None:
    tokens = terminal.folder / "tokens.json"
    said = terminal.run(
        "platform", "login", ANA, "--password-file", "-", "--save-to", str(tokens), says="demo\n"
    ).output
    assert "the authToken is in" in said
    (token,) = json.loads(tokens.read_text()).values()
    assert token not in said
    assert tokens.stat().st_mode & 0o077 == 0
    password = terminal.folder / "password"
    password.write_text("wrong\n")
    refused = terminal.run(
        "platform", "login", ANA, "--password-file", str(password), code=1
    ).output
    assert "the e-mail address or the password is wrong" in refused
    password.write_text("demo\n")
    shown = terminal.run(
        "platform", "login", ANA, "--password-file", str(password), "--show-token"
    ).output
    assert len(shown.splitlines()[-1]) > 20
    tokens.write_text("no JSON")
    left = terminal.run(
        "platform", "login", ANA, "--password-file", str(password), "--save-to", str(tokens), code=2
    ).output
    assert "is no token file, and is left as it is" in left
    assert tokens.read_text() == "no JSON"


def test_budget(terminal: Terminal) -> None:
    shown = terminal.json("platform", "budget")
    assert isinstance(shown, dict)
    assert shown["platform"]["points_left"] == 99_997
    assert shown["ours"]["requests_a_minute"] == 2_000
    assert "The window ends in" in terminal.run("platform", "budget").output
