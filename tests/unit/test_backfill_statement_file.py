"""Files of history: their lines, whatever they are packed in, and what is wrong with them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from pointsman.domain.errors import ConfigError
from pointsman.sources.backfill import LoadRate, StatementFile

LINES = b'{"a": 1}\n\n  \r\n[1, 2]\r\n{"last": "without a newline"}'
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("suffix", PACKERS)
def test_lines_are_read_with_their_numbers_and_blank_ones_left_out(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"history.ndjson{suffix}"
    path.write_bytes(PACKERS[suffix](LINES))
    source = StatementFile(path, 1_000)
    found = list(source.lines(0))
    assert [(one.number, one.body) for one in found] == [
        (1, b'{"a": 1}'),
        (4, b"[1, 2]"),
        (5, b'{"last": "without a newline"}'),
    ]
    assert not any(one.too_long for one in found)
    assert found[-1].reached == source.size
    assert [one.number for one in source.lines(4)] == [5]
    assert list(source.lines(5)) == []


def test_a_line_that_is_too_long_is_cut_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "history.ndjson"
    path.write_bytes(b"x" * 10 + b"\n" + b"y" * 25 + b"\nz\n" + b"w" * 30)
    found = [(one.number, one.body, one.too_long) for one in StatementFile(path, 10).lines(0)]
    assert found == [
        (1, b"x" * 10, False),
        (2, b"y" * 10, True),
        (3, b"z", False),
        (4, b"w" * 10, True),
    ]


def test_a_file_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    one.write_bytes(LINES)
    same.write_bytes(LINES)
    other.write_bytes(LINES + b"\n{}")
    names = [StatementFile(path, 9).name for path in (one, same, other)]
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_damaged_file_says_after_which_line(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"history{suffix}"
    path.write_bytes(PACKERS[suffix](b'{"a": 1}\n' * 100_000)[:-20])
    with pytest.raises(ConfigError, match=r"history\.\w+ is damaged after line \d+"):
        list(StatementFile(path, 1_000).lines(0))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="missing can't be read: No such file"):
        StatementFile(tmp_path / "missing", 9)


@pytest.mark.parametrize(
    ("rate", "statements", "seconds", "pause"),
    [(None, 200, 0.1, 0.1), (None, 1, 3.0, 3.0), (100, 200, 0.5, 1.5), (100, 200, 5.0, 0.0)],
)
def test_a_pause_leaves_time_to_others(
    rate: float | None, statements: int, seconds: float, pause: float
) -> None:
    assert LoadRate(rate).pause(statements, seconds) == pytest.approx(pause)
