"""Exit codes: one table, which the code, the help and the runbook share."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pointsman.cli import app
from pointsman.cli.exit_codes import MEANINGS, ExitCode, errors_end_the_command
from pointsman.domain.errors import Bug, ConfigError, PlatformUnreachable, StoreUnavailable

ROOT = Path(__file__).parents[2]


def test_the_help_has_the_table() -> None:
    shown = " ".join(CliRunner(env={"COLUMNS": "300"}).invoke(app, ["--help"]).stdout.split())

    for code, meaning in MEANINGS.items():
        assert f"{code.value}: {meaning}" in shown


def test_the_runbook_has_the_same_table() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    rows = re.findall(r"^\| (\d) \| (.*) \|$", runbook, re.MULTILINE)

    assert {int(code): meaning for code, meaning in rows} == {
        code.value: meaning for code, meaning in MEANINGS.items()
    }


def test_every_code_has_a_meaning_and_no_command_has_one_of_its_own() -> None:
    assert set(MEANINGS) == set(ExitCode)
    for path in (ROOT / "src" / "pointsman" / "cli").glob("*.py"):
        assert not re.findall(r"Exit\(\d|sys\.exit|SystemExit", path.read_text()), path.name


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("wrong"), ExitCode.WRONG),
        (StoreUnavailable("away"), ExitCode.AWAY),
        (PlatformUnreachable("away"), ExitCode.AWAY),
    ],
)
def test_an_error_ends_a_command_with_its_code_and_its_words(
    error: Exception, code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, errors_end_the_command():
        raise error

    assert ended.value.exit_code == code
    assert capsys.readouterr().err == f"{error}\n"


def test_output_to_a_full_disk_ends_a_command_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, errors_end_the_command():
        raise OSError(errno.ENOSPC, "No space left on device")

    assert ended.value.exit_code == ExitCode.AWAY
    assert capsys.readouterr().err == "the output can't be written: No space left on device\n"


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(Bug), errors_end_the_command():
        raise Bug
