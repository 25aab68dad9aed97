"""Tokens of a file: changes however they are made, entries that can't be used, names as written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import ConfigError, NoToken
from pointsman.platforms.tokens.file import FileTokens, read_token_table, save_token
from pointsman.platforms.tokens.learner_table import LearnerTable, learner_name, unmatched_keys
from tests.support.file_changes import in_place, rename_over, turn_data_link
from tests.support.manual_clock import ManualClock

ANA, BEN = "ana@example.com", "ben@example.com"


class Told(list[str]):
    """Whose token is said to be new."""

    def __call__(self, learners: Sequence[str]) -> None:
        self.extend(learners)


def provider(path: Path) -> tuple[FileTokens, Told]:
    told = Told()
    return FileTokens(path, ManualClock(), told), told


async def token(tokens: FileTokens, learner: str) -> str:
    """The token; or the reason why there is none."""
    await tokens.refused(learner, "")
    try:
        return await tokens.token(learner)
    except NoToken as error:
        return str(error)


@pytest.mark.parametrize("change", [in_place, rename_over, turn_data_link])
async def test_a_mounted_secret_that_is_replaced_is_read_again(
    tmp_path: Path, change: Callable[[Path, str], Path]
) -> None:
    path = change(tmp_path, json.dumps({ANA: "AAAA"}))
    tokens, told = provider(path)
    await tokens.open()
    assert await token(tokens, ANA) == "AAAA"
    assert "has none for 'ben@example.com'; add one" in await token(tokens, BEN)
    assert told == []
    change(tmp_path, json.dumps({ANA: "BBBB", BEN: "CCCC"}))
    assert [await token(tokens, ANA), await token(tokens, BEN)] == ["BBBB", "CCCC"]
    assert told == [ANA, BEN]


@pytest.mark.parametrize("broken", ["", "{", "[]", "5", '{"ana@example.com": "BB', "\ufeff"])
async def test_a_file_that_is_broken_keeps_the_tokens_and_is_told_once(
    tmp_path: Path, broken: str
) -> None:
    path = in_place(tmp_path, json.dumps({ANA: "AAAA"}))
    tokens, _ = provider(path)
    await tokens.open()
    in_place(tmp_path, broken)
    with structlog.testing.capture_logs() as logs:
        assert [await token(tokens, ANA) for _ in range(3)] == ["AAAA"] * 3
    assert len(logs) == 1
    assert "BB" not in str(logs)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
async def test_marks_line_ends_and_case_make_no_difference(
    tmp_path: Path, mark: str, end: str
) -> None:
    text = f'{mark}{{{end}"mailto:ANA@Example.com": " TOKEN\\r\\n"{end}}}{end}'
    path = tmp_path / "tokens.json"
    path.write_bytes(text.encode())
    tokens, _ = provider(path)
    await tokens.open()
    assert await token(tokens, ANA) == "TOKEN"


BAD_ENTRIES: list[tuple[Any, str]] = [
    ("TO\nKEN", "has an authToken that has a line break at character 3"),
    ("TO\rKEN", "has a line break"),
    ("TO\0KEN", "has NUL"),
    ("TO\x1bKEN", "has the control character U+001B"),
    ("TO\x7fKEN", "has the control character U+007F"),
    ("TOKEN\u20ac", "has U+20AC at character 6"),
    ("T" * 9_000, "is longer than 8,000 characters"),
    ("", "must be an authToken, or an object|no string, or an empty one"),
    ("\n", "no string, or an empty one"),
    (None, "must be an authToken, or an object"),
    (5, "must be an authToken, or an object"),
    ([], "must be an authToken, or an object"),
    ({}, "must be an authToken, or an object"),
    ({"authToken": None}, "has a authToken that is no string, or an empty one"),
    ({"authToken": "T", "expires": 5}, "must be an authToken, or an object"),
]


@pytest.mark.parametrize(("entry", "words"), BAD_ENTRIES)
async def test_an_entry_that_cant_be_used_is_named_and_the_rest_is_in_force(
    tmp_path: Path, entry: Any, words: str
) -> None:
    path = in_place(tmp_path, json.dumps({ANA: entry, BEN: "BBBB"}))
    tokens, _ = provider(path)
    with structlog.testing.capture_logs() as logs:
        await tokens.open()
    assert await token(tokens, BEN) == "BBBB"
    said = await token(tokens, ANA)
    assert any(part in said for part in words.split("|")), said
    assert "'ana@example.com': its entry" in said
    [line] = [line for line in logs if line["log_level"] == "warning"]
    assert line["learner"] == ANA


async def test_an_entry_that_breaks_keeps_the_token_of_its_learner(tmp_path: Path) -> None:
    path = in_place(tmp_path, json.dumps({ANA: "AAAA", BEN: "BBBB"}))
    tokens, told = provider(path)
    await tokens.open()
    in_place(tmp_path, json.dumps({ANA: "TO\nKEN", BEN: "CCCC"}))
    assert [await token(tokens, ANA), await token(tokens, BEN)] == ["AAAA", "CCCC"]
    assert told == [BEN]


async def test_a_key_that_is_nearly_the_learner_is_named(tmp_path: Path) -> None:
    path = in_place(tmp_path, json.dumps({"ana\u200b@example.com": "T", "User-7": "U"}))
    tokens, _ = provider(path)
    await tokens.open()
    assert r"; its key 'ana\u200b@example.com' is nearly so" in await token(tokens, ANA)
    assert "; its key 'User-7' is nearly so" in await token(tokens, "user-7")
    assert "is nearly so" not in await token(tokens, BEN)


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=5))
def test_a_table_of_any_strings_is_read_and_gives_no_token_that_no_header_can_hold(
    table: dict[str, str],
) -> None:
    good, bad = read_token_table(json.dumps(table).encode())
    assert good.keys() | bad.keys() == table.keys()
    for credentials in good.values():
        assert credentials.token is not None
        credentials.token.encode("latin-1")
        assert credentials.token.strip() == credentials.token
        assert (
            credentials.token.isprintable()
            or "\xa0" in credentials.token
            or ("\xad" in credentials.token)
        )


@given(st.binary(max_size=60))
def test_whatever_a_file_holds_is_read_or_refused(content: bytes) -> None:
    try:
        read_token_table(content)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either is right


@pytest.mark.parametrize(
    ("key", "learner"),
    [
        ("Ana@Example.com", ANA),
        ("mailto:ana@example.com", ANA),
        (" MAILTO:ana@example.com\n", ANA),
        ("https://sso.example.com|Ana", "https://sso.example.com|Ana"),
        ("https://x.example.com/@Ana", "https://x.example.com/@Ana"),
        ("Ana", "Ana"),
    ],
)
def test_a_key_names_a_learner_as_statements_do(key: str, learner: str) -> None:
    assert learner_name(key) == learner
    assert LearnerTable({key: 1}).find(learner) == 1


def test_the_exact_key_goes_before_one_that_is_written_otherwise() -> None:
    table = LearnerTable({"Ana@example.com": "upper", ANA: "lower"})
    assert (table.find(ANA), table.find("Ana@example.com")) == ("lower", "upper")


def test_keys_that_can_never_match_are_named() -> None:
    keys = ["Ana@x.org", "ana@x.org", "b en@x.org", "user7", "https://h|u", "", "k@x.org", "u8"]
    assert unmatched_keys(keys, known={"u8"}) == {
        "ana@x.org": "is the same learner as 'Ana@x.org', and only the last one counts",
        "b en@x.org": "has U+0020 in it, which no address has",
        "user7": "is no e-mail address, and no template of learners.accounts makes such a name",
        "": "names nobody",
    }


def test_a_token_that_no_header_can_hold_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has a line break at character 3"):
        save_token(tmp_path / "tokens.json", ANA, "TO\nKEN", None)
    assert not (tmp_path / "tokens.json").exists()
