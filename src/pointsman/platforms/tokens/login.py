"""authTokens by logging in with the learner's password: for sandboxes, where that is known."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import structlog

from pointsman.domain.clock import Clock
from pointsman.domain.errors import NoToken, TokenDelayed
from pointsman.domain.header_value import header_problem
from pointsman.platforms.base import LoginAnswer, RequestOutcome
from pointsman.platforms.tokens.breaker import TokenSourceDown
from pointsman.platforms.tokens.fetched import FetchedToken
from pointsman.platforms.tokens.learner_table import LearnerTable
from pointsman.text_files import WatchedFile, decode_text

log = structlog.get_logger(__name__)

#: logs a learner in, by address and password
LogIn = Callable[[str, str], Awaitable[LoginAnswer]]


class PasswordLogin:
    """A `TokenFetcher`.

    `path` is a JSON object, learner -> password, read again when it changes. A file that is broken
    or gone keeps the passwords of before.
    """

    def __init__(self, path: Path, log_in: LogIn, clock: Clock) -> None:
        self._path = path
        self._file = WatchedFile(path, clock)
        self._log_in = log_in
        self._passwords: LearnerTable[str] | None = None
        self._problem = ""
        #: a password that was refused is not tried again: logging in costs points
        self._refused: dict[str, bytes] = {}

    async def close(self) -> None:
        """Nothing is open."""

    async def fetch(self, learner: str) -> FetchedToken:
        passwords = self._current()
        password = passwords.find(learner)
        if password is None:
            raise NoToken(
                f"{self._path} has no password for {learner!r}{passwords.near_miss(learner)}; add "
                "one, it is read again by itself"
            )
        digest = hashlib.sha256(password.encode()).digest()
        if self._refused.get(learner) == digest:
            raise NoToken(
                f"the platform refused the password of {learner!r} in {self._path}; "
                "correct it there"
            )
        login = await self._log_in(learner, password)
        if login.token is not None:
            problem = header_problem(login.token)
            if problem is not None:
                raise TokenDelayed(f"logging {learner!r} in gave an authToken that {problem}")
            self._refused.pop(learner, None)
            return FetchedToken(login.token, login.user_id)
        if login.may_pass or login.answer.outcome is RequestOutcome.KEY_REFUSED:
            raise TokenSourceDown(
                f"logging {learner!r} in failed for now: {login.answer.message}",
                login.answer.rate.retry_after,
            )
        self._refused[learner] = digest
        raise NoToken(f"the platform does not log {learner!r} in: {login.answer.message}")

    def _current(self) -> LearnerTable[str]:
        """The passwords of now. Raises `TokenSourceDown` where there never were any."""
        try:
            content = self._file.new_content()
            if content is not None:
                self._passwords = LearnerTable(read_password_table(content))
                self._problem = ""
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            if reason != self._problem:
                self._problem = reason
                log.warning(
                    "password file can't be used",
                    file=str(self._path),
                    reason=reason,
                    next="correct the file; it is read again by itself",
                )
        if self._passwords is None:
            raise TokenSourceDown(f"{self._path} can't be used: {self._problem}")
        return self._passwords


def read_password_table(content: bytes) -> dict[str, str]:
    """Passwords by learner. Raises `ValueError`, without anything of the content."""
    try:
        passwords = orjson.loads(decode_text(content, "it"))
    except orjson.JSONDecodeError as error:
        # the position, never the text: it is full of passwords
        raise ValueError(f"not JSON at line {error.lineno}, column {error.colno}") from None
    if not isinstance(passwords, dict) or not all(
        isinstance(password, str) and password for password in passwords.values()
    ):
        raise ValueError("must be a JSON object of learner: password")
    return passwords
