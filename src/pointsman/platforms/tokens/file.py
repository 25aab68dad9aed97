"""authTokens from a file, which is read again whenever it changes. Tokens are never logged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
import structlog

from pointsman.domain.clock import Clock
from pointsman.domain.errors import ConfigError, NoToken
from pointsman.domain.header_value import header_problem
from pointsman.platforms.tokens.error_log import ErrorLog
from pointsman.platforms.tokens.inline import Credentials
from pointsman.platforms.tokens.learner_table import LearnerTable, learner_name
from pointsman.text_files import WatchedFile, decode_text, read_text

log = structlog.get_logger(__name__)

#: how often the file is looked at, seconds
_LOOK_EVERY = 1.0


class FileTokens:
    """A JSON object, learner -> authToken, or an object with `authToken` and `userId`.

    `on_new` is told whose token or user id is new, so that what was parked for want of it goes on.
    A file that is broken or gone keeps the tokens of before; so does an entry that can't be used
    that of its learner, and the rest of the file is in force.
    """

    def __init__(self, path: Path, clock: Clock, on_new: Callable[[Sequence[str]], None]) -> None:
        self._path = path
        self._clock = clock
        self._file = WatchedFile(path, clock)
        self._entries: dict[str, Credentials] = {}
        self._known: LearnerTable[Credentials] = LearnerTable()
        #: learners whose entries can't be used, and why
        self._refused: LearnerTable[str] = LearnerTable()
        self._problem = ""
        self._on_new = on_new
        self._errors = ErrorLog("a look at the token file failed for a reason of ours")

    async def open(self) -> None:
        """Read it; what is there at the start is new to nobody."""
        self._reload(lambda _learners: None)

    async def run(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await self._clock.sleep(_LOOK_EVERY)
            with self._errors.caught():
                self._reload(self._on_new)

    async def close(self) -> None:
        """Nothing is open."""

    async def token(self, learner: str) -> str:
        token = self._look_up(learner).token
        if token is None:
            raise NoToken(f"{self._where()} none for {learner!r}{self._why(learner)}")
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
        return (self._known.find(learner) or Credentials()).token not in {None, token}

    def _where(self) -> str:
        """The beginning of a sentence that says what the file has not."""
        if self._problem:
            return f"{self._path} can't be used ({self._problem}), and there was"
        return f"{self._path} has"

    def _has_content(self) -> bool:
        """Whether there is something in the file that `save_token` would not overwrite."""
        try:
            return self._path.stat().st_size > 0
        except OSError:
            return False

    def _look_up(self, learner: str) -> Credentials:
        if self._known.find(learner) is None:
            self._reload(self._on_new)
        return self._known.find(learner) or Credentials()

    def _why(self, learner: str) -> str:
        """What is in the file instead, and what to do."""
        problem = self._refused.find(learner)
        if problem is not None:
            return f": its entry {problem}; correct it, the file is read again by itself"
        if self._problem and self._has_content():
            return f"{self._known.near_miss(learner)}; correct the file, it is read again by itself"
        return (
            f"{self._known.near_miss(learner)}; add one (on a sandbox: pointsman platform login "
            f"{learner} --save-to {self._path}), it is read again by itself"
        )

    def _reload(self, on_new: Callable[[Sequence[str]], None]) -> None:
        """Read the file if it changed."""
        try:
            content = self._file.new_content()
            if content is None:
                return
            entries, refused = read_token_table(content)
        except (OSError, ValueError) as error:
            reason = str(getattr(error, "strerror", None) or error)
            if reason != self._problem:
                self._problem = reason
                log.warning(
                    "token file can't be used, the tokens of before stay in force",
                    file=str(self._path),
                    reason=reason,
                    next="write a JSON object of learner: authToken there; it is read by itself",
                )
            return
        self._problem = ""
        for learner, problem in refused.items():
            if learner in self._entries:
                entries[learner] = self._entries[learner]
            log.warning(
                "an entry of the token file can't be used",
                file=str(self._path),
                learner=learner,
                reason=problem,
                next="correct that entry; the file is read again by itself",
            )
        new = {key for key, entry in entries.items() if self._entries.get(key) != entry}
        self._entries, self._known = entries, LearnerTable(entries)
        self._refused = LearnerTable(refused)
        log.info("token file read", file=str(self._path), learners=len(entries), new=len(new))
        if new:
            on_new(sorted(new | {learner_name(key) for key in new}))


def read_token_table(content: bytes) -> tuple[dict[str, Credentials], dict[str, str]]:
    """The entries of a token file; and those that can't be used, each with the reason.

    Raises `ValueError` for what is no table at all. No message repeats a token.
    """
    if not content.strip():
        raise ValueError("is empty; a file without tokens is {}")
    try:
        entries = orjson.loads(decode_text(content, "it"))
    except orjson.JSONDecodeError as error:
        # the position, never the text: it is full of tokens
        raise ValueError(f"not JSON at line {error.lineno}, column {error.colno}") from None
    if not isinstance(entries, dict):
        raise ValueError("must be a JSON object of learner: authToken")  # noqa: TRY004
    good: dict[str, Credentials] = {}
    bad: dict[str, str] = {}
    for learner, entry in entries.items():
        try:
            good[learner] = _credentials(entry)
        except ValueError as error:
            bad[learner] = str(error)
    return good, bad


def _credentials(entry: object) -> Credentials:
    parts = {"authToken": entry} if isinstance(entry, str) else entry
    if not isinstance(parts, dict) or not parts or parts.keys() - {"authToken", "userId"}:
        raise ValueError("must be an authToken, or an object with authToken and userId")
    values: dict[str, str] = {}
    for name, part in parts.items():
        if not isinstance(part, str) or not part.strip():
            raise ValueError(f"has a {name} that is no string, or an empty one")
        values[name] = part.strip()
    token = values.get("authToken")
    problem = None if token is None else header_problem(token)
    if problem is not None:
        raise ValueError(f"has an authToken that {problem}")
    return Credentials(token, values.get("userId"))


def save_token(path: Path, learner: str, token: str, user_id: str | None) -> None:
    """Put one learner's token into a token file; only its owner may read a file that is new.

    Raises `ConfigError` where there is a file that is no token file, or none can be written.
    """
    try:
        text = read_text(path) if path.exists() else ""
        tokens = orjson.loads(text) if text.strip() else {}
        read_token_table(orjson.dumps(tokens))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: is no token file, and is left as it is: {error}") from None
    problem = header_problem(token)
    if problem is not None:
        raise ConfigError(f"{path}: the authToken of {learner} {problem}, and is not kept")
    tokens[learner] = token if user_id is None else {"authToken": token, "userId": user_id}
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.touch(mode=0o600)
        beside.write_bytes(orjson.dumps(tokens, option=orjson.OPT_INDENT_2))
        beside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: can't be written: {error.strerror}") from None
