"""Where authTokens come from: the configuration, a file, or a service of the customer's.

A daemon has no learners' passwords; a token is handed to it, lives as long as the learner's role
allows, and may be refused at any time. Tokens are never logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import orjson
import structlog

from pointsman.clock import Clock
from pointsman.errors import NoToken

log = structlog.get_logger(__name__)

#: how often the file is looked at, seconds
_LOOK_EVERY = 1.0


class InlineTokens:
    """The tokens of `learners.tokens.inline`. They change with a restart only."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._tokens = dict(tokens)

    async def token(self, learner: str) -> str:
        try:
            return self._tokens[learner]
        except KeyError:
            raise NoToken(
                f"learners.tokens.inline has none for {learner!r}; add one and restart"
            ) from None

    async def refused(self, learner: str, token: str) -> bool:
        return self._tokens.get(learner) not in {None, token}


class FileTokens:
    """A JSON object, learner -> authToken, read again whenever it changes.

    `watch` runs beside the daemon; `on_new` is told whose token is new, so that what was parked
    for want of it goes on. A file that is broken or gone keeps the tokens of before.
    """

    def __init__(self, path: Path, clock: Clock, on_new: Callable[[Sequence[str]], None]) -> None:
        self._path = path
        self._clock = clock
        self._tokens: dict[str, str] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._on_new: Callable[[Sequence[str]], None] = lambda _learners: None
        self.reload()  # what is there at the start is news to nobody
        self._on_new = on_new

    async def token(self, learner: str) -> str:
        if learner not in self._tokens:
            self.reload()
        try:
            return self._tokens[learner]
        except KeyError:
            raise NoToken(
                f"{self._path} has none for {learner!r}; add one, it is read again by itself"
            ) from None

    async def refused(self, learner: str, token: str) -> bool:
        self.reload()
        return self._tokens.get(learner) not in {None, token}

    async def watch(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await self._clock.sleep(_LOOK_EVERY)
            self.reload()

    def reload(self) -> None:
        """Read the file if it changed."""
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp == self._stamp:
                return
            tokens = _read(self._path.read_bytes())
        except (OSError, ValueError) as error:
            if self._stamp != (0, 0, 0):
                log.warning(
                    "token file can't be used, the tokens of before stay in force",
                    file=str(self._path),
                    reason=str(error),
                )
            self._stamp = (0, 0, 0)
            return
        new = [who for who, token in tokens.items() if self._tokens.get(who) != token]
        self._tokens, self._stamp = tokens, stamp
        log.info("token file read", file=str(self._path), learners=len(tokens), new=len(new))
        if new:
            self._on_new(new)


def _read(text: bytes) -> dict[str, str]:
    try:
        tokens = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # the position, never the text: it is full of tokens
        raise ValueError(f"not JSON at line {error.lineno}, column {error.colno}") from None
    if not isinstance(tokens, dict) or not all(
        isinstance(token, str) and token for token in tokens.values()
    ):
        raise ValueError("must be a JSON object of learner: authToken, both non-empty strings")
    return tokens
