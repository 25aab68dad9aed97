"""The authTokens that `Login` hands out: random, opaque, and good for a fixed time.

Only their hashes are kept, in memory as on disk.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from pointsman.domain.clock import Clock
from pointsman.emulator.catalogue import Catalogue, Learner


@dataclass(slots=True)
class Changes:
    """What `StatePersistence` has to write.

    New ones are (hash, e-mail address, expiry in Unix seconds), those that are gone hashes.
    """

    new: list[tuple[str, str, float]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    all_gone: bool = False


class IssuedTokens:
    """Each token is good for `ttl` seconds from its issue."""

    def __init__(self, catalogue: Catalogue, clock: Clock, ttl: float) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._ttl = ttl
        # In the order of issue and, with one ttl for all, of expiry; Unix seconds.
        self._live: dict[str, tuple[Learner, float]] = {}
        self._changes = Changes()

    def issue(self, learner: Learner) -> str:
        self._forget_expired()
        token = secrets.token_urlsafe(24)
        expires_at = self._clock.now() + self._ttl
        self._live[_hash(token)] = (learner, expires_at)
        self._changes.new.append((_hash(token), learner.email, expires_at))
        return token

    def learner(self, token: str) -> Learner | None:
        """Whose token it is; None for one that is unknown or has expired."""
        learner, expires_at = self._live.get(_hash(token), (None, 0.0))
        return learner if self._clock.now() < expires_at else None

    def expire(self, token: str) -> None:
        """This one is good no longer."""
        if self._live.pop(_hash(token), None) is not None:
            self._changes.gone.append(_hash(token))

    def expire_all(self) -> int:
        """None is good any longer; how many were until now."""
        self._forget_expired()
        expired = len(self._live)
        self._live.clear()
        self._changes = Changes(all_gone=True)
        return expired

    def expire_of(self, learner: Learner) -> int:
        """None of this learner's is good any longer; how many were until now."""
        self._forget_expired()
        theirs = [digest for digest, (owner, _) in self._live.items() if owner.id == learner.id]
        for digest in theirs:
            del self._live[digest]
        self._changes.gone += theirs
        return len(theirs)

    def load(self, digest: str, email: str, expires_at: float) -> None:
        """Put back a token that was kept, if its learner is still there."""
        learner = self._catalogue.learner_by_email.get(email)
        if learner is not None:
            self._live[digest] = (learner, expires_at)

    @property
    def changes(self) -> Changes:
        """What has changed since `forget_changes`."""
        return self._changes

    def forget_changes(self) -> None:
        """They are stored, or need not be."""
        self._changes = Changes()

    def _forget_expired(self) -> None:
        now = self._clock.now()
        while self._live:
            oldest = next(iter(self._live))
            if now < self._live[oldest][1]:
                return
            del self._live[oldest]
            self._changes.gone.append(oldest)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
