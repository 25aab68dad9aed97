"""A command that can't write its file says so before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointsman.cli import app


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["deliveries", "--since", "1h", "--output", "missing/a.ndjson"], "there is no folder"),
        (
            ["deliveries", "--since", "1h", "--format", "parquet", "--output", "missing/a.parquet"],
            "there is no folder",
        ),
        (["deliveries", "--since", "1h", "--output", "."], "is a folder"),
        (["simulate", "--picture", "missing/a.svg"], "there is no folder"),
        (["simulate", "--picture", "a.gif"], "must end in .svg or .png"),
    ],
)
def test_a_file_that_can_not_be_written_is_a_mistake_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert says in " ".join(result.output.replace("\u2502", " ").split())
