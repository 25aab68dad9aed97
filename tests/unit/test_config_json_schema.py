from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from pointsman.cli import app
from pointsman.config import load
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


REST = """
allow_weak_secrets = true
[platform]
url = "https://learn.example.com"
api_key = "k"
"""
SOURCE = """
[[sources.http]]
name = "a"
credentials = [{ key = "k", secret = "s" }]
"""
LAUNCHES = """
[launches]
public_url = "https://lrs.example.com"
operators = [{ key = "k", secret = "s" }]
signing_key = "a-key-of-32-bytes-or-more-for-tests"
"""
FILES = {
    "a token alone": f'{REST}{SOURCE}[learners.tokens]\ninline = {{ "a@example.com" = "t" }}',
    "a token and an id": (
        f"{REST}{SOURCE}[learners.tokens.inline]\n"
        'b = "t"\n"a@example.com" = { auth_token = "t", user_id = "u" }'
    ),
    "launches alone": (
        f"{REST}{LAUNCHES}[learners.tokens]\nlaunches = true\n"
        'encryption_key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="'
    ),
    "names with commas": (
        f'{REST}{SOURCE}[learners.tokens]\ninline = {{ "a@example.com" = "t" }}\n'
        '[http]\ncors_origins = "https://a.example.com, https://b.example.com"'
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_it_takes_what_pointsman_takes(tmp_path: Path, name: str) -> None:
    path = tmp_path / "pointsman.toml"
    path.write_text(FILES[name])
    load(path)

    assert problems(FILES[name]) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[htpp]\nport = 1", "htpp"),
        ("[http]\nprot = 1", "prot"),
        ('[http]\nport = "eighty"', "eighty"),
        ('[http]\nintake = "disk"', "disk"),
        ("[platform.limits]\nshare = 2", "2"),
        ('[[rules]]\ntopic = "t"', "topic"),
        ('[learners.tokens.inline]\na = { token = "t" }', "token"),
        ("[learners.tokens.inline]\na = 1", "1"),
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
