"""Reads files with a statement, or an array of them, in each line; plain, .gz or .zst."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
import zstandard

from pointsman.domain.errors import ConfigError
from pointsman.text_files import without_mark

#: what tells files apart: their beginning, and their size
_BEGINNING = 65_536
_PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts from 1. A line that was too long is cut."""

    number: int
    body: bytes
    too_long: bool
    #: bytes of the file that are read, compressed as on the disk
    reached: int


class StatementFile:
    """`path` may be renamed between two runs; it is known by what is in it."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        try:
            self.size = path.stat().st_size
            with path.open("rb") as file:
                beginning = file.read(_BEGINNING)
        except OSError as error:
            raise ConfigError(f"{path} can't be read: {error.strerror}") from error
        mark = hashlib.sha256(beginning + str(self.size).encode()).hexdigest()[:16]
        self.name = f"file {mark}"

    def one_text(self) -> bytes | None:
        """The file where it is one JSON text, also over several lines; None for any other."""
        with self._open() as (_, file):
            whole = without_mark(file.read(self._max_bytes + 1))
        try:
            orjson.loads(whole)
        except orjson.JSONDecodeError:
            return None
        return whole

    def lines(self, after: int) -> Iterator[Line]:
        """Those after the first `after`; blank ones are left out.

        Raises `ConfigError` naming the line where the file is damaged.
        """
        number = 0
        try:
            with self._open() as (raw, file):
                while body := file.readline(self._max_bytes + 1):
                    number += 1
                    if number == 1:
                        body = without_mark(body)
                        self._must_be_in_lines(body.strip())
                    too_long = len(body) > self._max_bytes and not body.endswith(b"\n")
                    if too_long:
                        self._skip(file)
                    if number > after and body.strip():
                        yield Line(number, body[: self._max_bytes].strip(), too_long, raw.tell())
        except (OSError, EOFError, zstandard.ZstdError) as error:
            raise ConfigError(f"{self._path} is damaged after line {number}: {error}") from error

    def _must_be_in_lines(self, first: bytes) -> None:
        if first in {b"[", b"{", b"[{"}:
            raise ConfigError(
                f"{self._path} has its JSON over several lines, and a statement, or an array of "
                "them, has to be in one: `jq -c .` writes it so"
            )

    def _skip(self, file: BinaryIO) -> None:
        while rest := file.readline(self._max_bytes):
            if rest.endswith(b"\n"):
                return

    @contextmanager
    def _open(self) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        with ExitStack() as stack:
            raw = stack.enter_context(self._path.open("rb"))
            match self._path.suffix:
                case ".gz":
                    yield raw, cast("BinaryIO", stack.enter_context(gzip.GzipFile(fileobj=raw)))
                case ".zst":
                    yield raw, io.BufferedReader(_Zstandard(raw))
                case _:
                    yield raw, raw


class _Zstandard(io.RawIOBase):
    """Reads what is in a .zst; unlike the library's own reader it says where a file was cut off."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises `EOFError` when the file ends within a frame."""
        while not self._ready:
            piece = self._frame.unused_data if self._frame and self._frame.eof else b""
            if self._frame is None or self._frame.eof:
                piece = piece or self._raw.read(_PIECE)
                if not piece:
                    return 0
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            else:
                piece = self._raw.read(_PIECE)
                if not piece:
                    raise EOFError("it ends in the middle of a frame")
            self._ready = self._frame.decompress(piece)
        taken = self._ready[: len(buffer)]
        buffer[: len(taken)] = taken
        self._ready = self._ready[len(taken) :]
        return len(taken)
