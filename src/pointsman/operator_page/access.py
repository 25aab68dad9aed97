"""Decides who is signed in to the operator's page, and whether a form is really theirs. No I/O.

A session is a signed token (JWT, HS256) in a cookie, so that every replica knows it. It ends with
its time, and at once when its key is taken out of the settings or changed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

import jwt
from pydantic import SecretStr

from pointsman.config import Settings
from pointsman.domain.clock import Clock

COOKIE = "pointsman_session"
#: seconds that a session lasts: a working day
LIFETIME = 12 * 3_600
_ALGORITHM = "HS256"
_PURPOSE = b"pointsman operator page"


class Role(StrEnum):
    """What somebody may do."""

    #: reads everything
    VIEWER = "viewer"
    #: changes things too
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class OperatorKey:
    """One key that opens the page; the name is what the record of actions has."""

    name: str
    role: Role
    key: SecretStr

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.key.get_secret_value().encode()).digest()


@dataclass(frozen=True, slots=True)
class User:
    """Who is signed in. `csrf` has to come with every form."""

    name: str
    role: Role
    csrf: str

    @property
    def may_change(self) -> bool:
        return self.role is Role.OPERATOR


def operator_keys(settings: Settings) -> list[OperatorKey]:
    """Those of [http.operator]; none without it."""
    operator = settings.http.operator
    keys = () if operator is None else operator.keys
    return [OperatorKey(key.name, Role(key.role), key.key) for key in keys]


class Attempts(Protocol):
    """Slows down who guesses keys."""

    def must_wait(self, address: str, key: bytes, digest: bytes) -> float: ...

    def failed(self, address: str, key: bytes) -> None: ...

    def succeeded(self, address: str, digest: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class SignIn:
    """What became of a key that was shown: a session's token, "" where the key is not known.

    Who guesses has to `wait` so many seconds before a key is looked at.
    """

    token: str = ""
    wait: float = 0.0


class Access:
    """Opens and checks sessions. `secret` is the store's, the same for every replica."""

    def __init__(
        self, keys: Sequence[OperatorKey], secret: bytes, clock: Clock, attempts: Attempts
    ) -> None:
        self._keys = tuple(keys)
        self._secret = hmac.digest(secret, _PURPOSE, "sha256")
        self._clock = clock
        self._attempts = attempts

    def reconfigure(self, keys: Sequence[OperatorKey]) -> None:
        """These open the page from now on; a session of a key that is gone is over."""
        self._keys = tuple(keys)

    def sign_in(self, shown: str, address: str) -> SignIn:
        """A session for a key that is shown from this address."""
        digest = hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()
        if seconds := self._attempts.must_wait(address, b"", digest):
            return SignIn(wait=seconds)
        known: OperatorKey | None = None
        # each is compared, so that the time says nothing about which one matched
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                known = key
        if known is None:
            self._attempts.failed(address, b"")
            return SignIn()
        self._attempts.succeeded(address, digest)
        now = int(self._clock.now())
        claims = {
            "sub": known.name,
            "key": self._mark(known),
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + LIFETIME,
        }
        return SignIn(jwt.encode(claims, self._secret, algorithm=_ALGORITHM))

    def user(self, token: str | None) -> User | None:
        """Who shows this cookie; None where it is no session, or over."""
        if not token:
            return None
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                # time is the injected clock's, below
                options={"require": ["sub", "key", "jti", "exp"], "verify_exp": False},
            )
        except jwt.InvalidTokenError:
            return None
        if claims["exp"] <= self._clock.now():
            return None
        for key in self._keys:
            if key.name == claims["sub"] and hmac.compare_digest(self._mark(key), claims["key"]):
                return User(key.name, key.role, self._csrf(claims["jti"]))
        return None

    def _mark(self, key: OperatorKey) -> str:
        """What tells this key from another one, and says nothing of it."""
        return hmac.digest(self._secret, key.digest, "sha256").hex()

    def _csrf(self, session: str) -> str:
        return hmac.digest(self._secret, b"form " + session.encode(), "sha256").hex()


def fetch_site(headers: Mapping[str, str], host: str) -> str:
    """Sec-Fetch-Site, or what Origin says where a browser does not send it; "" without both.

    `host` is the request's, which Origin is compared with.
    """
    said, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if said is not None or origin is None:
        return said or ""
    return "same-origin" if urlsplit(origin).netloc.lower() == host.lower() else "cross-site"


def is_own_form(user: User, shown: str, site: str) -> bool:
    """Whether a form was sent by a page of ours: `site` is as `fetch_site` has it."""
    return site in {"", "same-origin"} and hmac.compare_digest(
        user.csrf.encode(), shown.encode("utf-8", "surrogatepass")
    )
