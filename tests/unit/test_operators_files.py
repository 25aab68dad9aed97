"""The operator's own files: an editor's habits make no difference, and `check` looks inside."""

from __future__ import annotations

import ast
import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointsman.cli import app
from pointsman.cli.import_state import _import_targets
from pointsman.cli.learning_path_file import read_new_path
from pointsman.config import load
from pointsman.domain.errors import ConfigError
from pointsman.emulator.catalogue import load_catalogue
from pointsman.emulator.faults import faults_from_file
from pointsman.sources.backfill.statement_file import StatementFile

SOURCE = Path(__file__).parents[2] / "src" / "pointsman"
#: read bytes or packages' own resources, and texts through text_files
_READERS = {
    "text_files.py",
    "secret_values.py",
    "setting_types.py",  # opens a file to see whether that can be done
    "config/load.py",
    "config/storyline.py",  # XML says itself how it is written
    "courses/package.py",  # a zip
    "sources/backfill/statement_file.py",
    "cli/table_warnings.py",
    "emulator/schema.py",
    "emulator/graphiql_page.py",
    "sources/http/receipt.py",
    "operator_page/page.py",
    "emulator/catalogue/loading.py",
    "store/named_sql.py",
    "store/sqlite/personal_data.py",  # every byte of a binary file
    "store/sqlite/mounts.py",  # what the kernel writes
    "store/sqlite/soundness.py",  # the header of a binary file
    "store/migrations.py",
    "package_files.py",  # what was built into the package
}
MARK = b"\xef\xbb\xbf"
CONFIG = """
[platform]
url = "https://learn.example.com"
api_key_file = "key"
[[sources.http]]
name = "player"
credentials = [{ key = "web", secret = "secret" }]
[learners.tokens]
file = "tokens.json"
"""


def as_editors_write(text: str) -> list[bytes]:
    """The same text, with the habits of editors."""
    windows = text.replace("\n", "\r\n").encode()
    return [text.encode(), MARK + text.encode(), windows, MARK + windows, MARK + windows + b"\r\n"]


def test_files_are_read_in_one_place() -> None:
    readers = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"read_text", "read_bytes"}:
                readers.add(path.relative_to(SOURCE).as_posix())
            if isinstance(node, ast.Call) and '("rb")' in ast.unparse(node).replace("'", '"'):
                readers.add(path.relative_to(SOURCE).as_posix())
    assert readers <= _READERS


@pytest.mark.parametrize("number", range(5))
def test_a_configuration_is_the_same_however_it_is_written(tmp_path: Path, number: int) -> None:
    (tmp_path / "tokens.json").write_bytes(as_editors_write("{}\n")[number])
    (tmp_path / "key").write_bytes(as_editors_write("the-key\n")[number])
    path = tmp_path / "pointsman.toml"
    path.write_bytes(as_editors_write(CONFIG)[number])
    assert load(path).platform.api_key.get_secret_value() == "the-key"


@pytest.mark.parametrize("number", range(5))
def test_the_other_files_are_too(tmp_path: Path, number: int) -> None:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_bytes(as_editors_write(text)[number])
        return path

    csv = write("courses.csv", "learner,course_id\nmailto:Ana@Example.com,c1\n")
    lines = write("courses.jsonl", '{"learner": "ANA@example.com", "course_id": "c1"}\n')
    [from_csv], [from_lines] = _import_targets(csv), _import_targets(lines)
    assert from_csv == from_lines
    assert from_csv.learner == "ana@example.com"
    toml = write("path.toml", 'name = "P"\n[[milestones]]\nname = "M"\n')
    assert read_new_path(toml).name == "P"
    assert read_new_path(write("path.json", '{"name": "P", "milestones": [{"name": "M"}]}'))
    assert len(faults_from_file(write("faults.toml", '[[faults]]\nkind = "throttle"\n'))) == 1
    catalogue = write("catalogue.toml", "courses = []\nlearners = []\n")
    assert load_catalogue(catalogue).courses == ()


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_statements_of_a_file_are_too(tmp_path: Path, number: int, suffix: str) -> None:
    content = as_editors_write('{"a": 1}\n{"b": 2}\n')[number]
    path = tmp_path / f"history.ndjson{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    bodies = [json.loads(line.body) for line in StatementFile(path, 1_000).lines(0)]
    assert bodies == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("content", ["x".encode("utf-16"), b"\xff\xff"])
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.toml"
    path.write_bytes(content)
    for read in (load, read_new_path, load_catalogue, faults_from_file):
        with pytest.raises(ConfigError, match=r"file\.toml is (UTF-16 text; save|not UTF-8 text)"):
            read(path)


def test_check_names_the_keys_that_can_never_match_and_the_entries_that_cant_be_used(
    tmp_path: Path,
) -> None:
    (tmp_path / "key").write_text("the-key")
    (tmp_path / "tokens.json").write_text(
        json.dumps(
            {
                "Ana@Example.com": "AAA-hunter2",
                "ana@example.com": "BBB-hunter2",
                "be n@example.com": "CCC-hunter2",
                "user7": "DDD-hunter2",
                "dee@example.com": "hunter2\nhunter2",
                "https://sso.example.com|eve": "EEE",
                "kim-of-sso": "FFF",
            },
            indent=1,
        )
    )
    accounts = '[[learners.accounts]]\nhome_page = "https://s.example"\nlearner = "{name}-of-sso"\n'
    (tmp_path / "pointsman.toml").write_text(CONFIG + accounts)
    result = CliRunner().invoke(app, ["check", "--config", str(tmp_path / "pointsman.toml")])
    assert result.exit_code == 0
    file = tmp_path / "tokens.json"
    broken = "has an authToken that has a line break at character 8, which no HTTP header can hold."
    twice = "is the same learner as 'Ana@Example.com', and only the last one counts."
    nobody = "is no e-mail address, and no template of learners.accounts makes such a name."
    shown = [line[4:] for line in result.output.splitlines() if "learners.tokens.file:" in line]
    where, never = f"learners.tokens.file: {file}, line", "can never match: it"
    assert shown == [
        f"{where} 6: the entry of 'dee@example.com' {broken}",
        f"{where} 3: the key 'ana@example.com' {never} {twice}",
        f"{where} 4: the key 'be n@example.com' {never} has U+0020 in it, which no address has.",
        f"{where} 5: the key 'user7' {never} {nobody}",
    ]
    assert "hunter2" not in result.output


def test_check_names_a_table_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("the-key")
    (tmp_path / "tokens.json").write_text('{\n  "ana@example.com" "hunter2"\n}')
    (tmp_path / "pointsman.toml").write_text(CONFIG)
    result = CliRunner().invoke(app, ["check", "--config", str(tmp_path / "pointsman.toml")])
    assert "tokens.json: not JSON at line 2, column 21." in result.output
    assert "hunter2" not in result.output


def test_check_names_a_key_that_is_written_twice(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("the-key")
    inner = '{"userId": "u", "authToken": "A-hunter2"}'
    (tmp_path / "tokens.json").write_text(
        f'{{\n"ana@example.com": {inner},\n"ben@example.com": "B",\n"ana@example.com": "C"\n}}'
    )
    (tmp_path / "pointsman.toml").write_text(CONFIG)
    result = CliRunner().invoke(app, ["check", "--config", str(tmp_path / "pointsman.toml")])
    shown = [line[4:] for line in result.output.splitlines() if "learners.tokens.file:" in line]
    twice = "the key 'ana@example.com' is written more than once, and only the last one counts."
    assert shown == [f"learners.tokens.file: {tmp_path / 'tokens.json'}, line 2: {twice}"]
