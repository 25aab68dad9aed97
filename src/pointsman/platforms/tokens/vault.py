"""Fetched authTokens at rest: encrypted with a key that is not beside them.

Fernet (AES-128-CBC with HMAC-SHA-256) of the `cryptography` library. The first key seals, all of
them open, so a key is rotated by putting the new one in front; what an old one sealed is sealed
again when it is read. The learner is inside the seal: a token that is moved to another learner's
row does not open there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import orjson
import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from pointsman.domain.clock import MICROSECONDS, Clock, micros
from pointsman.domain.records import SealedToken
from pointsman.platforms.tokens.fetched import FetchedToken

log = structlog.get_logger(__name__)


def new_key() -> str:
    """A fresh key, as `encryption_key` takes it."""
    return Fernet.generate_key().decode()


class TokenCipher:
    """Seals with the first key, opens with any. Raises `ValueError` for what is no key.

    A key whose file is given another one goes on opening what it sealed, until the process ends.
    """

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        self._keys = tuple(keys)
        #: by value, those that went before too
        self._made: dict[str, Fernet] = {}
        self._current()

    def _current(self) -> tuple[Fernet, MultiFernet]:
        """What seals, and what opens."""
        values = [key.get_secret_value() for key in self._keys]
        for value in values:
            if value not in self._made:
                self._made[value] = Fernet(value.encode())
        return self._made[values[0]], MultiFernet(list(self._made.values()))

    def seal(self, learner: str, fetched: FetchedToken) -> bytes:
        first, _ = self._current()
        return first.encrypt(
            orjson.dumps([learner, fetched.token, fetched.user_id, fetched.expires_at])
        )

    def open(self, learner: str, sealed: bytes) -> FetchedToken | None:
        """What was sealed for this learner; None for anything else."""
        try:
            _, every = self._current()
            owner, token, user_id, expires_at = orjson.loads(every.decrypt(sealed))
        except (InvalidToken, orjson.JSONDecodeError, ValueError, TypeError):
            return None
        return FetchedToken(token, user_id, expires_at) if owner == learner else None

    def is_old(self, sealed: bytes) -> bool:
        """Whether another key than the first sealed it."""
        try:
            first, _ = self._current()
            first.decrypt(sealed)
        except InvalidToken:
            return True
        return False


class EncryptedVault:
    """A `TokenVault` in a store, whose two methods it is given."""

    def __init__(
        self,
        cipher: TokenCipher,
        clock: Clock,
        read: Callable[[], Awaitable[list[SealedToken]]],
        write: Callable[[Sequence[SealedToken], Sequence[str]], Awaitable[None]],
    ) -> None:
        self._cipher = cipher
        self._clock = clock
        self._read = read
        self._write = write

    async def load(self) -> dict[str, FetchedToken]:
        """All that still opens and has not expired. What an old key sealed is sealed again."""
        opened: dict[str, FetchedToken] = {}
        changed: dict[str, FetchedToken | None] = {}
        lost = 0
        now = self._clock.now()
        for row in await self._read():
            fetched = self._cipher.open(row.learner, row.sealed)
            if fetched is None:
                lost += 1
                changed[row.learner] = None
            elif fetched.expires_at is not None and fetched.expires_at <= now:
                changed[row.learner] = None
            else:
                opened[row.learner] = fetched
                if self._cipher.is_old(row.sealed):
                    changed[row.learner] = fetched
        if changed:
            await self.save(changed)
        resealed = sum(fetched is not None for fetched in changed.values())
        log.info("kept authTokens read", learners=len(opened), resealed=resealed)
        if lost:
            log.warning(
                "kept authTokens that no key opens were dropped; they are fetched again",
                n=lost,
                next="nothing, if learners.tokens.encryption_key was changed on purpose; else put "
                "the key of before into learners.tokens.old_encryption_key_files",
            )
        return opened

    async def save(self, changed: dict[str, FetchedToken | None]) -> None:
        now = micros(self._clock.now())
        rows = [
            SealedToken(
                learner,
                self._cipher.seal(learner, fetched),
                now,
                None if fetched.expires_at is None else round(fetched.expires_at * MICROSECONDS),
            )
            for learner, fetched in changed.items()
            if fetched is not None
        ]
        gone = [learner for learner, fetched in changed.items() if fetched is None]
        await self._write(rows, gone)
