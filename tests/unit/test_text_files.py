"""Files that a person writes: marks, line ends, and changes however they are made."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from pointsman.secret_values import FileSecret, read_secret
from pointsman.text_files import WatchedFile, decode_text, read_text
from tests.support.file_changes import (
    in_place,
    rename_over,
    the_same_size_at_the_same_time,
    turn_data_link,
)
from tests.support.manual_clock import ManualClock

WAYS = (in_place, rename_over, turn_data_link, the_same_size_at_the_same_time)


@pytest.mark.parametrize(
    "content",
    [
        b"s3cret",
        b"\xef\xbb\xbfs3cret",
        b"s3cret\n",
        b"s3cret\r\n",
        b"\xef\xbb\xbf  s3cret \r\n\r\n",
        b"\ts3cret\t",
    ],
)
def test_a_secret_is_its_text_without_mark_and_space_around_it(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert read_secret(path) == "s3cret"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\r\n", "is empty"),
        (b"\xef\xbb\xbf\n", "is empty"),
        ("s3cret".encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        ("s3cret".encode("utf-16-le"), "is not UTF-8 text (NUL at byte 2); save it as UTF-8"),
        ("s3cret".encode("utf-16-be"), "is not UTF-8 text (NUL at byte 1); save it as UTF-8"),
        (b"s3cret\0", "is not UTF-8 text (NUL at byte 7); save it as UTF-8"),
        (b"s3cret\xff", "is not UTF-8 text (byte 7)"),
    ],
)
def test_what_is_no_secret_is_refused_by_name_and_not_repeated(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="secret") as error:
        read_secret(path)
    assert str(error.value) == f"{path} {words}"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be read: No such file"):
        read_text(tmp_path / "none")
    with pytest.raises(ValueError, match="can't be read: No such file"):
        FileSecret(tmp_path / "none")


def test_a_mark_inside_a_text_is_text() -> None:
    assert decode_text(b"\xef\xbb\xbfa\xef\xbb\xbfb", "x") == "a\ufeffb"


@pytest.mark.parametrize("change", WAYS)
def test_a_change_is_seen_however_it_is_made(
    tmp_path: Path, change: Callable[[Path, str], Path]
) -> None:
    clock = ManualClock()
    path = change(tmp_path, "first!")
    file = WatchedFile(path, clock)
    assert file.new_content() == b"first!"
    assert file.new_content() is None
    change(tmp_path, "second")
    assert file.new_content() == b"second"
    assert file.new_content() is None


def test_a_pipe_is_read_once_and_never_waited_for(tmp_path: Path) -> None:
    """A shell's <(…): whoever wrote to it is gone."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writing = threading.Thread(target=path.write_bytes, args=(b"content",))
    writing.start()
    file = WatchedFile(path, ManualClock())
    assert file.new_content() == b"content"
    writing.join()
    assert file.new_content() is None


def test_a_pipe_in_the_place_of_a_file_changes_nothing(tmp_path: Path) -> None:
    path = in_place(tmp_path, "content")
    file = WatchedFile(path, ManualClock())
    assert file.new_content() == b"content"
    path.unlink()
    with pytest.raises(OSError, match="No such file"):
        file.new_content()
    os.mkfifo(path)
    assert file.new_content() is None


@pytest.mark.parametrize("change", WAYS)
def test_a_secret_is_that_of_the_file_within_a_second(
    tmp_path: Path, change: Callable[[Path, str], Path]
) -> None:
    clock = ManualClock()
    path = change(tmp_path, "first!\n")
    secret = FileSecret(path, clock=clock)
    assert isinstance(secret, SecretStr)
    assert secret.get_secret_value() == "first!"
    change(tmp_path, "second\n")
    clock.advance(1)
    assert secret.get_secret_value() == "second"
    assert "second" not in repr(secret)
    assert len(secret) == 6


def test_a_broken_file_keeps_the_value_and_is_told_once(tmp_path: Path) -> None:
    clock = ManualClock()
    path = in_place(tmp_path, "a-long-enough-one")

    def long_enough(value: str) -> None:
        if len(value) < 10:
            raise ValueError("is too short")

    secret = FileSecret(path, long_enough, clock)

    def value() -> str:
        clock.advance(1)
        return secret.get_secret_value()

    with structlog.testing.capture_logs() as logs:
        for broken in ("", "half", "\udcff"):
            path.write_bytes(broken.encode("utf-8", "surrogateescape"))
            assert [value(), value(), value()] == ["a-long-enough-one"] * 3
        path.unlink()
        assert [value(), value()] == ["a-long-enough-one"] * 2
        in_place(tmp_path, "another-long-one")
        assert [value(), value()] == ["another-long-one"] * 2
    reasons = [str(line.get("reason", line["event"])).replace(f"{path} ", "") for line in logs]
    reasons = [reason.removeprefix(f"{path}: ") for reason in reasons]
    assert reasons == [
        "is empty",
        "is too short",
        "is not UTF-8 text (byte 1)",
        "No such file or directory",
        "secret file read again",
    ]
    assert "another-long-one" not in str(logs)


def test_a_file_that_is_away_for_a_moment_is_told_each_time(tmp_path: Path) -> None:
    clock = ManualClock()
    path = in_place(tmp_path, "value")
    secret = FileSecret(path, clock=clock)
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            away = path.rename(tmp_path / "away")
            clock.advance(1)
            assert secret.get_secret_value() == "value"
            away.rename(path)
            clock.advance(1)
            assert secret.get_secret_value() == "value"
    assert len(logs) == 2


def test_a_first_value_that_is_refused_is_an_error(tmp_path: Path) -> None:
    secret = FileSecret(in_place(tmp_path, "short"))

    def refuse(value: str) -> None:
        raise ValueError(f"has {len(value)} characters")

    with pytest.raises(ValueError, match="has 5 characters"):
        secret.require(refuse)


def test_files_are_not_read_more_often_than_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    secret = FileSecret(in_place(tmp_path, "value"), clock=clock)
    looks: list[object] = []
    stat = Path.stat

    def counted(path: Path, **more: bool) -> os.stat_result:
        looks.append(path)
        return stat(path, **more)

    monkeypatch.setattr(Path, "stat", counted)
    for _ in range(100):
        clock.advance(0.1)
        secret.get_secret_value()
    assert 9 <= len(looks) <= 11
