"""Secrets that are read from files, and again when the files change.

Components hold the secret and not its text, and ask for the text when they use it. `SecretStr` is
a secret that never changes; `FileSecret` is one too, so whoever takes the one takes the other.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog
from pydantic import SecretStr

from pointsman.domain.clock import Clock, SystemClock
from pointsman.text_files import WatchedFile, decode_text

log = structlog.get_logger(__name__)

#: seconds between two looks at a file
_LOOK_EVERY = 1.0

Check = Callable[[str], None]


def secret_text(content: bytes, name: str) -> str:
    """The secret in a file's content, without the space around it. Raises `ValueError`."""
    secret = decode_text(content, name).strip()
    if not secret:
        raise ValueError(f"{name} is empty")
    return secret


def read_secret(path: Path) -> str:
    """The secret in a file. Raises `ValueError` naming the file, and repeating nothing of it."""
    try:
        return secret_text(path.read_bytes(), str(path))
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None


class FileSecret(SecretStr):
    """The secret in a file, at most a second old.

    A file that is gone, empty or half written changes nothing: the value of before stays in force,
    and the log says so once. Raises `ValueError` where there is no value to begin with.
    """

    def __init__(self, path: Path, check: Check | None = None, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._file = WatchedFile(path, self._clock)
        self._checks: list[Check] = [] if check is None else [check]
        self._problem = ""
        self._look_again = self._clock.monotonic() + _LOOK_EVERY
        try:
            super().__init__(self._read() or "")
        except OSError as error:
            raise ValueError(f"{path} can't be read: {error.strerror}") from None

    @property
    def path(self) -> Path:
        return self._file.path

    def require(self, check: Check) -> None:
        """From now on a value has to pass this too. Raises `ValueError` for the one of now."""
        check(super().get_secret_value())
        self._checks.append(check)

    def get_secret_value(self) -> str:
        """The value of now."""
        now = self._clock.monotonic()
        if now >= self._look_again:
            self._look_again = now + _LOOK_EVERY
            self._look()
        return super().get_secret_value()

    def _look(self) -> None:
        try:
            value = self._read()
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            if reason != self._problem:
                self._problem = reason
                log.warning(
                    "secret file can't be used, the value of before stays in force",
                    file=str(self.path),
                    reason=reason,
                    next="correct the file; it is read again by itself",
                )
            return
        if value is None:
            return
        self._problem = ""
        if value != super().get_secret_value():
            super().__init__(value)
            log.info("secret file read again", file=str(self.path))

    def _read(self) -> str | None:
        """The value where the file has changed. Raises `OSError` and `ValueError`."""
        content = self._file.new_content()
        if content is None:
            return None
        value = secret_text(content, str(self.path))
        try:
            for check in self._checks:
                check(value)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from None
        return value


def require(secret: SecretStr, check: Check) -> SecretStr:
    """The secret, checked now and, where it comes from a file, whenever that changes."""
    if isinstance(secret, FileSecret):
        secret.require(check)
    else:
        check(secret.get_secret_value())
    return secret
