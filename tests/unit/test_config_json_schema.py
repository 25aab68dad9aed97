from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from pointsman.cli import app
from pointsman.config.json_schema import json_schema

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
SCHEMA = json_schema()


def problems(text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(tomllib.loads(text))]


def test_the_schema_is_valid_itself() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_it_takes_the_example() -> None:
    assert problems(EXAMPLE.read_text()) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[htpp]\nport = 1", "htpp"),
        ("[http]\nprot = 1", "prot"),
        ('[http]\nport = "eighty"', "eighty"),
        ('[http]\nintake = "disk"', "disk"),
        ("[platform.limits]\nshare = 2", "2"),
        ('[[rules]]\ntopic = "t"', "topic"),
    ],
)
def test_it_finds_what_an_editor_should_mark(text: str, problem: str) -> None:
    assert any(problem in message for message in problems(text))


def test_every_setting_and_section_says_what_it_is() -> None:
    sections: dict[str, dict[str, Any]] = {"": SCHEMA, **SCHEMA["$defs"]}
    without = [
        f"{section} {name}"
        for section, described in sections.items()
        for name, setting in described.get("properties", {}).items()
        if not setting.get("description")
    ]
    assert without == []


def test_no_comment_of_python_code_is_in_it() -> None:
    text = json.dumps(SCHEMA)
    assert "noqa" not in text
    assert "#:" not in text


def test_the_command_prints_it() -> None:
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(json.dumps(SCHEMA))
