"""Issues and checks launch credentials: signed tokens (JWT, RFC 7519, HS256) for one launch.

A credential is for one purpose. That of an xAPI player opens nothing in SCORM's commit address, and
the one in a cmi5 fetch address is good for fetching alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import jwt
from cachetools import LRUCache
from jwt.types import Options
from pydantic import SecretStr

from pointsman.domain.clock import MICROSECONDS, Clock
from pointsman.domain.errors import Unauthorized
from pointsman.domain.frozen import record
from pointsman.domain.launch import NOTHING_REVOKED, Launch, Revoked

#: the user name of HTTP Basic before a credential; no source's credential may have it
USER = "launch"
_ALGORITHM = "HS256"
#: what the credential is for, and until when, is looked at each time
_OPTIONS: Options = {
    "require": ["exp", "iat", "aud", "sub", "reg", "act"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_aud": False,
}
#: tokens that were verified and are remembered, the newest
_MOST_VERIFIED = 10_000


class Purpose(StrEnum):
    """What a credential opens."""

    XAPI = "xapi"
    SCORM = "scorm"
    FETCH = "fetch"
    #: reading what became of the launch, and nothing else
    RECEIPT = "receipt"


@record
class LaunchCredential:
    """What a good credential says: whose launch, and of which activity."""

    registration: str
    learner: str
    activity: str
    #: that of cmi5, empty for other players
    session: str = ""
    #: what was revoked before it was issued
    revoked: Revoked = NOTHING_REVOKED


@record
class SignedCredential:
    """What one of our keys signed, whatever it is good for; `expires_at` in Unix seconds."""

    purpose: str
    expires_at: int
    credential: LaunchCredential


class CredentialRefused(Unauthorized):
    """The credential opens nothing; the message says why, and never holds the credential."""


class CredentialExpired(CredentialRefused):
    """The credential is ours and opens nothing any longer; `credential` is what it says."""

    def __init__(self, credential: LaunchCredential) -> None:
        super().__init__("the launch has expired; start the activity again")
        self.credential = credential


class CredentialRevoked(CredentialRefused):
    """The credential was ours, and an operator has revoked it."""

    def __init__(self) -> None:
        super().__init__("the launch was revoked; start the activity again")


class CredentialIssuer:
    """Signs with the first key, and knows what any of them signed."""

    def __init__(self, keys: Sequence[SecretStr], clock: Clock) -> None:
        self._keys = tuple(keys)
        self._clock = clock
        #: of tokens that were verified, by their digests: the key that signed one, and what it says
        self._verified: LRUCache[bytes, tuple[str, SignedCredential]] = LRUCache(_MOST_VERIFIED)

    def issue(self, launch: Launch, purpose: Purpose) -> str:
        """A credential that is good until the launch expires."""
        claims: dict[str, Any] = {
            "sub": launch.learner,
            "reg": launch.registration,
            "act": launch.activity,
            "aud": purpose.value,
            "iat": launch.opened_at // MICROSECONDS,
            "exp": launch.expires_at // MICROSECONDS,
        }
        if launch.session:
            claims["sid"] = launch.session
        if launch.revoked != NOTHING_REVOKED:
            claims["rev"] = [launch.revoked.registration, launch.revoked.learner]
        return jwt.encode(claims, self._keys[0].get_secret_value(), algorithm=_ALGORITHM)

    def signed(self, token: str) -> SignedCredential | None:
        """What it says, where one of our keys signed it: each is verified once."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        keys = [key.get_secret_value() for key in self._keys]
        known = self._verified.get(digest)
        if known is not None and known[0] in keys:
            return known[1]
        for key in keys:
            try:
                claims: dict[str, Any] = jwt.decode(
                    token, key, algorithms=[_ALGORITHM], options=_OPTIONS
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidTokenError:
                return None
            signed = _signed(claims)
            self._verified[digest] = key, signed
            return signed
        return None

    def check(self, token: str, *purposes: Purpose) -> LaunchCredential:
        """What a credential for one of these says. Raises `CredentialRefused`."""
        return self.check_signed(self.signed(token), *purposes)

    def check_signed(self, signed: SignedCredential | None, *purposes: Purpose) -> LaunchCredential:
        """The same of what `signed` answered."""
        if signed is None:
            raise CredentialRefused("this is no launch credential of ours")
        if signed.purpose not in purposes:
            raise CredentialRefused("the launch credential is for another purpose")
        # time is the injected clock's
        if signed.expires_at <= self._clock.now():
            raise CredentialExpired(signed.credential)
        return signed.credential


def _signed(claims: dict[str, Any]) -> SignedCredential:
    credential = LaunchCredential(
        claims["reg"],
        claims["sub"],
        claims["act"],
        claims.get("sid", ""),
        Revoked(*claims.get("rev", ())),
    )
    return SignedCredential(claims["aud"], claims["exp"], credential)


def as_authorization(token: str) -> str:
    """The header Authorization that a player sends, as its launch address carries it."""
    return "Basic " + in_base64(token)


def in_base64(token: str) -> str:
    """What stands behind `Basic`, which is what cmi5's fetch answers (section 8.2.3)."""
    return base64.b64encode(f"{USER}:{token}".encode()).decode()


def credential_from_header(header: str | None) -> str | None:
    """The credential in a header Authorization; None where it holds something else."""
    scheme, _, rest = (header or "").strip().partition(" ")
    shown = rest.strip()
    if scheme.lower() == "bearer":
        return shown if shown.count(".") == 2 else None  # noqa: PLR2004 - a JWT has three parts
    if scheme.lower() != "basic":
        return None
    try:
        user, _, token = base64.b64decode(shown, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return token if user == USER else None
