"""The docs offline, the version with its commit, and completion in a shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pointsman import __version__
from pointsman.cli import COMMANDS, app
from pointsman.cli.help_ import find, nearest, sections, slug
from pointsman.package_files import commit, pages

ROOT = Path(__file__).parents[2]
ALERTS = sorted(re.findall(r"^### (Pointsman\w+)$", pages()["runbook"], re.MULTILINE))
PAGE = """# Page

## One
first
```sh
# a remark, and no heading
```
### Within
second
## Two & more
third
"""


def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, arguments, env=env, prog_name="pointsman")


def test_pages_are_listed_by_their_titles() -> None:
    shown = run("help").stdout

    assert re.search(r"^runbook +Runbook$", shown, re.MULTILINE)
    assert re.search(r"^players/cmi5 +cmi5$", shown, re.MULTILINE)


@pytest.mark.parametrize(
    "topic", ["runbook", "docs/runbook.md", "Runbook", "./docs/Runbook.MD", " runbook "]
)
def test_a_page_is_shown_by_its_name(topic: str) -> None:
    assert run("help", topic).stdout == pages()["runbook"] + "\n"


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_has_its_section_of_the_runbook(alert: str) -> None:
    first, *_ = run("help", alert).stdout.splitlines()

    assert first == f"### {alert}"


def test_a_section_ends_with_the_next_heading_that_is_no_lower() -> None:
    known = dict(sections(PAGE))

    assert list(known) == ["Page", "One", "Within", "Two & more"]
    assert known["Within"] == "### Within\nsecond"
    assert known["One"].endswith("second")
    assert find({"page": PAGE}, "two--more") == "## Two & more\nthird"
    assert slug("Exit codes") == "exit-codes"


def test_the_runbook_goes_before_other_pages() -> None:
    known = {"a": "# A\n## Replicas\nof a", "runbook": "# R\n## Replicas\nof the runbook"}

    assert find(known, "replicas") == "## Replicas\nof the runbook"


def test_a_topic_that_is_not_there_is_told_the_nearest() -> None:
    result = run("help", "kafkalag")

    assert result.exit_code == 1
    assert "pointsmankafkalag?" in result.stderr
    assert "`pointsman help` lists pages" in result.stderr


@pytest.mark.parametrize(
    ("topic", "shown"),
    [
        ("runbook#replicas", "## Replicas\nof the runbook"),
        ("a#replicas", "## Replicas\nof a"),
        ("docs/A.md#Replicas", "## Replicas\nof a"),
        ("#replicas", "## Replicas\nof the runbook"),
        ("two   words", "## Two words\nof a"),
        ("a#nothing", None),
        ("b#replicas", None),
        ("#", None),
        (" ", None),
    ],
)
def test_a_section_is_found_as_links_name_it(topic: str, shown: str | None) -> None:
    known = {
        "a": "# A\n## Replicas\nof a\n## Two words\nof a",
        "runbook": "# R\n## Replicas\nof the runbook",
    }

    assert find(known, topic) == shown


@pytest.mark.parametrize(
    ("topic", "near"),
    [
        ("run", ["runbook", "runs-on"]),
        ("runbok", ["runbook"]),
        ("KAFKA", ["kafka-lag", "security-of-kafka"]),
        ("zzz", []),
        (" ", []),
    ],
)
def test_what_may_be_meant_is_spelt_alike_or_has_the_topic_in_it(
    topic: str, near: list[str]
) -> None:
    text = "# Runbook\n## Kafka lag\n## Security of Kafka\n## Runs on\n## Runs on"

    assert nearest({"runbook": text}, topic) == near


def test_a_topic_that_is_a_command_is_sent_to_its_own_help() -> None:
    result = run("help", "reload")

    assert result.exit_code == 1
    assert "`pointsman reload --help`" in result.stderr


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs git's folder, for the commit")
def test_the_version_names_the_commit() -> None:
    assert run("--version").stdout == f"pointsman {__version__} (commit {commit()})\n"
    assert re.fullmatch(r"[0-9a-f]{12}", commit())


def test_a_wheel_has_its_commit_and_the_pages(tmp_path: Path) -> None:
    given = "0123456789abcdef0123456789abcdef01234567"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "POINTSMAN_COMMIT": given},
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        assert packed.read("pointsman/commit.txt").decode() == f"{given}\n"
    assert {f"pointsman/pages/{name}.md" for name in pages()} <= names
    # beside the checkout, as it is installed
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    shown = subprocess.run(
        [sys.executable, "-m", "pointsman", "--version"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
    ).stdout
    assert shown == f"pointsman {__version__} (commit {given[:12]})\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("pointsman dead", {"dead-letters"}),
        ("pointsman dead-letters re", {"replay"}),
        ("pointsman audit --pl", {"--place"}),
        ("pointsman pause --kind course_s", {"course_status"}),
    ],
)
def test_a_shell_completes_commands_options_and_values(typed: str, offered: set[str]) -> None:
    env = {
        "_POINTSMAN_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
    }

    assert set(run(env=env).stdout.split()) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_has_to_run_is_shown(shell: str) -> None:
    script = run(env={"_POINTSMAN_COMPLETE": f"source_{shell}"}).stdout

    assert f"_POINTSMAN_COMPLETE=complete_{shell}" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)  # noqa: S607


def test_every_command_is_offered() -> None:
    env = {"_POINTSMAN_COMPLETE": "complete_bash", "COMP_WORDS": "pointsman ", "COMP_CWORD": "1"}

    assert set(run(env=env).stdout.split()) == {command.name for command in COMMANDS}
