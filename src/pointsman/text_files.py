"""Reads the operator's files: UTF-8 text, with or without a byte order mark; changes are seen.

Every file that a person writes is read here, so that an editor's habits make no difference between
one setting and another. Errors name the file and never repeat what is in it.
"""

from __future__ import annotations

import hashlib
import stat
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

from pointsman.domain.clock import Clock

#: seconds for which a file may change again without a new time of change (clocks of file systems)
_SAME_TICK = 2.0


def without_mark(content: bytes) -> bytes:
    """The content without a byte order mark, which is no part of a text (Unicode 23.8)."""
    return content.removeprefix(BOM_UTF8)


def decode_text(content: bytes, name: str) -> str:
    """A file's content as text. Raises `ValueError` with `name` in front."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise ValueError(f"{name} is UTF-16 text; save it as UTF-8")
    if (place := content.find(0)) >= 0:
        # UTF-16 without a mark is UTF-8 with NULs
        raise ValueError(f"{name} is not UTF-8 text (NUL at byte {place + 1}); save it as UTF-8")
    try:
        return without_mark(content).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8 text (byte {error.start + 1})") from None


def read_text(path: Path) -> str:
    """The text of a file. Raises `ValueError` naming the file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    return decode_text(content, str(path))


def can_be_read_once(path: Path) -> bool:
    """Whether it is a pipe or a device, as a shell's `<(…)` is: another reading may block."""
    try:
        return _gives_once(path.stat().st_mode)
    except OSError:
        return False


def _gives_once(mode: int) -> bool:
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


class WatchedFile:
    """A file whose changes are seen: by what is in it, however it was replaced.

    What is a pipe is read once, and never changes: reading it again would wait for a writer.

    Links are followed again each time, so a link that is turned to another file, or that leads
    through a folder that is (as Kubernetes mounts Secrets), is a change like any other.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._stamp: tuple[int, ...] | None = None
        self._digest = b""
        self._was_read = False

    def new_content(self) -> bytes | None:
        """The content where it differs from what was returned last. Raises `OSError`."""
        try:
            return self._look()
        except OSError:
            # what comes after that is new, even if it is what was there before
            self._stamp, self._digest = None, b""
            raise

    def _look(self) -> bytes | None:
        status = self.path.stat()
        if self._was_read and _gives_once(status.st_mode):
            return None
        stamp = (
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_size,
            status.st_ino,
            status.st_dev,
        )
        if stamp == self._stamp:
            return None
        content = self.path.read_bytes()
        self._was_read = True
        changed_at = max(status.st_mtime, status.st_ctime)
        # written a moment ago, it may be written again without another time of change
        self._stamp = stamp if self._clock.now() - changed_at > _SAME_TICK else None
        digest = hashlib.sha256(content).digest()
        if digest == self._digest:
            return None
        self._digest = digest
        return content
