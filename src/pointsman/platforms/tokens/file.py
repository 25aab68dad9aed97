"""authTokens from a file, which is read again whenever it changes. Tokens are never logged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
import structlog

from pointsman.domain.clock import Clock
from pointsman.domain.errors import ConfigError, NoToken
from pointsman.platforms.tokens.inline import Credentials

log = structlog.get_logger(__name__)

#: how often the file is looked at, seconds
_LOOK_EVERY = 1.0


class FileTokens:
    """A JSON object, learner -> authToken, or an object with `authToken` and `userId`.

    `on_new` is told whose token or user id is new, so that what was parked for want of it goes on.
    A file that is broken or gone keeps the tokens of before.
    """

    def __init__(self, path: Path, clock: Clock, on_new: Callable[[Sequence[str]], None]) -> None:
        self._path = path
        self._clock = clock
        self._known: dict[str, Credentials] = {}
        self._stamp: tuple[int, int, int] | None = None
        #: why the file as it is now can't be used
        self._broken = ""
        self._on_new = on_new

    async def open(self) -> None:
        """Read it; what is there at the start is new to nobody."""
        self._reload(lambda _learners: None)

    async def run(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await self._clock.sleep(_LOOK_EVERY)
            self._reload(self._on_new)

    async def close(self) -> None:
        """Nothing is open."""

    async def token(self, learner: str) -> str:
        token = self._look_up(learner).token
        if token is None:
            raise NoToken(
                f"{self._problem()} none for {learner!r}; add one (on a sandbox: pointsman "
                f"platform login {learner} --save-to {self._path}), it is read again by itself"
            )
        return token

    async def user_id(self, learner: str) -> str:
        user_id = self._look_up(learner).user_id
        if user_id is None:
            raise NoToken(
                f"{self._path} has no userId for {learner!r}, which attendance needs; write "
                '{"authToken": "...", "userId": "..."} there, it is read again by itself'
            )
        return user_id

    async def refused(self, learner: str, token: str) -> bool:
        self._reload(self._on_new)
        return self._known.get(learner, Credentials()).token not in {None, token}

    def _problem(self) -> str:
        """The beginning of a sentence that says what the file has not."""
        if self._broken:
            return f"{self._path} can't be used ({self._broken}), and before there was"
        return f"{self._path} has"

    def _look_up(self, learner: str) -> Credentials:
        if learner not in self._known:
            self._reload(self._on_new)
        return self._known.get(learner, Credentials())

    def _reload(self, on_new: Callable[[Sequence[str]], None]) -> None:
        """Read the file if it changed."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp == self._stamp:
                return
            tokens = _read(self._path.read_bytes())
        except (OSError, ValueError) as error:
            reason = str(getattr(error, "strerror", None) or error)
            if self._stamp != (0, 0, 0):
                log.warning(
                    "token file can't be used, the tokens of before stay in force",
                    file=str(self._path),
                    reason=reason,
                    next="write a JSON object of learner: authToken there; it is read by itself",
                )
            self._stamp, self._broken = (0, 0, 0), reason
            return
        new = [
            learner
            for learner, credentials in tokens.items()
            if self._known.get(learner) != credentials
        ]
        self._known, self._stamp, self._broken = tokens, stamp, ""
        log.info("token file read", file=str(self._path), learners=len(tokens), new=len(new))
        if new:
            on_new(new)


def _read(text: bytes) -> dict[str, Credentials]:
    if not text.strip():
        raise ValueError("is empty; a file without tokens is {}")
    try:
        entries = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # the position, never the text: it is full of tokens
        raise ValueError(f"not JSON at line {error.lineno}, column {error.colno}") from None
    if not isinstance(entries, dict):
        raise ValueError("must be a JSON object of learner: authToken")  # noqa: TRY004
    return {learner: _credentials(learner, entry) for learner, entry in entries.items()}


def _credentials(learner: str, entry: object) -> Credentials:
    parts = {"authToken": entry} if isinstance(entry, str) else entry
    if not isinstance(parts, dict) or not parts or parts.keys() - {"authToken", "userId"}:
        raise ValueError(
            f"{learner!r} must have an authToken, or an object with authToken and userId"
        )
    for name, part in parts.items():
        if not isinstance(part, str) or not part:
            raise ValueError(f"{name} of {learner!r} must be a string that is not empty")
    return Credentials(parts.get("authToken"), parts.get("userId"))


def save_token(path: Path, learner: str, token: str, user_id: str | None) -> None:
    """Put one learner's token into a token file; only its owner may read a file that is new.

    Raises `ConfigError` where there is a file that is no token file.
    """
    try:
        text = path.read_bytes() if path.exists() else b""
        tokens = orjson.loads(text) if text.strip() else {}
        _read(orjson.dumps(tokens))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: is no token file, and is left as it is: {error}") from None
    tokens[learner] = token if user_id is None else {"authToken": token, "userId": user_id}
    beside = path.with_name(f"{path.name}.new")
    beside.touch(mode=0o600)
    beside.write_bytes(orjson.dumps(tokens, option=orjson.OPT_INDENT_2))
    beside.replace(path)
