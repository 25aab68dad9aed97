"""What goes wrong in the first ten minutes, at a terminal: the output names the next step."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demo.processes import free_port
from pointsman.cli import app
from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import ConfigError, NoToken
from pointsman.domain.port_errors import cannot_listen
from pointsman.platforms.tokens.file import FileTokens, save_token
from tests.integration.test_wait_command import config


def pointsman(*arguments: str, says: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pointsman", *arguments],
        capture_output=True,
        text=True,
        check=False,
        input=says,
    )


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        port = free_port()
        listener.bind(("127.0.0.1", port))
        listener.listen()
        yield port


@pytest.mark.parametrize(
    "command",
    [
        ("verify",),
        ("parked", "list"),
        ("parked", "retry"),
        ("dead-letters", "list"),
        ("dead-letters", "replay", "--all"),
        ("unmatched",),
        ("audit",),
        ("db", "stats"),
        ("replay", "--since", "1d"),
        ("launches", "show", "0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11"),
    ],
    ids=" ".join,
)
def test_before_the_first_run_a_command_says_what_makes_the_store(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    result = CliRunner().invoke(app, [*command, "-c", str(config(tmp_path, port=1))])

    assert result.exit_code == 2
    assert result.stderr.strip().startswith("store.url: there is no database at ")
    assert "`pointsman run` makes it" in result.stderr


def test_run_names_the_port_that_is_in_use_and_its_setting(tmp_path: Path, taken_port: int) -> None:
    result = pointsman("run", "-c", str(config(tmp_path, port=taken_port)))

    assert result.returncode == 2
    assert f"port {taken_port} (http.port) is in use on 127.0.0.1" in result.stderr
    assert "set another http.port" in result.stderr
    assert "Errno" not in result.stderr + result.stdout


def test_emulate_names_the_port_that_is_in_use_and_its_option(taken_port: int) -> None:
    result = pointsman("emulate", "--port", str(taken_port), "--api-key", "k")

    assert result.returncode == 2
    assert f"port {taken_port} (--port) is in use on 127.0.0.1" in result.stderr
    assert "Errno" not in result.stderr


@pytest.mark.parametrize(
    ("code", "port", "words"),
    [
        (errno.EADDRINUSE, 8080, "port 8080 (http.port) is in use"),
        (errno.EACCES, 80, "a port below 1024 needs root"),
        (errno.EADDRNOTAVAIL, 8080, "http.host: this machine has no address h"),
        (errno.EIO, 8080, "can't listen on h port 8080: words"),
    ],
)
def test_every_address_that_cannot_be_had_is_named_with_its_setting(
    code: int, port: int, words: str
) -> None:
    said = cannot_listen(
        OSError(code, "words"), "h", port, host_setting="http.host", port_setting="http.port"
    )

    assert words in said
    assert "Errno" not in said


def test_a_port_that_its_owner_does_not_share_is_told_with_what_sharing_takes() -> None:
    said = cannot_listen(
        OSError(errno.EADDRINUSE, "words"),
        "h",
        8080,
        host_setting="http.host",
        port_setting="http.port",
        reuse_port=True,
    )

    assert "by a process that does not share it" in said
    assert "http.reuse_port = true, and the same user" in said


def test_login_without_a_terminal_names_the_option_for_the_password(tmp_path: Path) -> None:
    path = str(config(tmp_path, port=1))

    result = pointsman("platform", "login", "ana@example.com", "-c", path)

    assert result.returncode == 2
    assert "--password-file -" in result.stderr


@pytest.mark.parametrize("content", [None, b"", b" \n", b"{}"])
def test_a_token_is_saved_where_there_is_no_file_yet_or_an_empty_one(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "tokens.json"
    if content is not None:
        path.write_bytes(content)

    save_token(path, "ana@example.com", "token", None)

    assert json.loads(path.read_bytes()) == {"ana@example.com": "token"}


def test_a_file_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("what I must not forget")

    with pytest.raises(ConfigError, match="left as it is"):
        save_token(path, "ana@example.com", "token", None)

    assert path.read_text() == "what I must not forget"


@pytest.mark.parametrize(
    ("content", "words"), [("", "is empty; a file without tokens is {}"), ("{}", "has none for")]
)
async def test_want_of_a_token_says_what_is_wrong_with_the_file_and_how_to_get_one(
    tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content)
    tokens = FileTokens(path, SystemClock(), lambda _learners: None)
    await tokens.open()

    with pytest.raises(NoToken) as refused:
        await tokens.token("ana@example.com")

    assert words in str(refused.value)
    assert f"pointsman platform login ana@example.com --save-to {path}" in str(refused.value)


@pytest.mark.parametrize("content", ["ana: token", '["ana@example.com"]'])
async def test_a_token_file_that_has_to_be_corrected_is_not_said_to_be_added_to(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content)
    tokens = FileTokens(path, SystemClock(), lambda _learners: None)
    await tokens.open()

    with pytest.raises(NoToken, match="correct the file") as refused:
        await tokens.token("ana@example.com")

    assert "--save-to" not in str(refused.value)


def test_a_token_file_that_cant_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none" / "tokens.json"

    with pytest.raises(ConfigError) as refused:
        save_token(path, "ana@example.com", "token", None)

    assert str(refused.value) == f"{path}: can't be written: No such file or directory"


def test_a_token_file_that_is_missing_is_named_once(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["check", "-c", str(config(tmp_path, port=1))])

    assert result.output.count("learners.tokens.file: ") == 1


@pytest.mark.parametrize("what", ["daemon", "delivery", "platform"])
def test_a_long_wait_says_early_what_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr("pointsman.cli.wait._SAY_AFTER", 0.0)
    path = config(tmp_path, port=free_port())

    result = CliRunner().invoke(app, ["wait", what, "--timeout", "0.5", "-c", str(path)])

    first, *_, last = result.stderr.splitlines()
    assert first.startswith("still waiting, up to 0.5 s: ")
    assert last == f"after 0.5 s: {first.removeprefix('still waiting, up to 0.5 s: ')}"
    assert len(result.stderr.splitlines()) == 2
