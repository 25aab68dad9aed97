"""authTokens by logging in with the learner's password: for sandboxes, where that is known."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson

from pointsman.domain.errors import NoToken, TokenDelayed
from pointsman.platforms.base import LoginAnswer
from pointsman.platforms.tokens.fetched import FetchedToken

#: logs a learner in, by address and password
LogIn = Callable[[str, str], Awaitable[LoginAnswer]]


class PasswordLogin:
    """A `TokenFetcher`.

    `path` is a JSON object, learner -> password, read again when it changes.
    """

    def __init__(self, path: Path, log_in: LogIn) -> None:
        self._path = path
        self._log_in = log_in
        self._passwords: dict[str, str] = {}
        self._stamp: tuple[int, int] | None = None
        #: a password that was refused is not tried again: logging in costs points
        self._refused: dict[str, bytes] = {}

    async def close(self) -> None:
        """Nothing is open."""

    async def fetch(self, learner: str) -> FetchedToken:
        self._reload()
        password = self._passwords.get(learner)
        if password is None:
            raise NoToken(
                f"{self._path} has no password for {learner!r}; add one, it is read again by itself"
            )
        digest = hashlib.sha256(password.encode()).digest()
        if self._refused.get(learner) == digest:
            raise NoToken(
                f"the platform refused the password of {learner!r} in {self._path}; mend it there"
            )
        login = await self._log_in(learner, password)
        if login.token is not None:
            self._refused.pop(learner, None)
            return FetchedToken(login.token, login.user_id)
        if login.may_pass:
            raise TokenDelayed(f"logging {learner!r} in failed for now: {login.answer.message}")
        self._refused[learner] = digest
        raise NoToken(f"the platform does not log {learner!r} in: {login.answer.message}")

    def _reload(self) -> None:
        """Read the file if it changed. Raises `TokenDelayed` while it can't be used."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp == self._stamp:
                return
            passwords = orjson.loads(self._path.read_bytes())
        except OSError as error:
            raise TokenDelayed(f"{self._path} can't be read: {error.strerror}") from None
        except orjson.JSONDecodeError as error:
            # the position, never the text: it is full of passwords
            where = f"line {error.lineno}, column {error.colno}"
            raise TokenDelayed(f"{self._path} is not JSON at {where}") from None
        if not isinstance(passwords, dict) or not all(
            isinstance(password, str) and password for password in passwords.values()
        ):
            raise TokenDelayed(f"{self._path} must be a JSON object of learner: password")
        self._passwords, self._stamp = passwords, stamp
