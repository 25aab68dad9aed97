"""Who sends: an Authorization header against the credentials of the sources.

Pure. HTTP Basic (RFC 7617) is what xAPI asks for; a bearer (RFC 6750) is for gateways. No message
repeats anything of the header: what was sent may be a secret with a slip in it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

CHALLENGE = 'Basic realm="xapi", charset="UTF-8", Bearer realm="xapi"'


@dataclass(frozen=True, slots=True)
class BasicCredential:
    """The user name (which RFC 7617 allows no colon) and the password of HTTP Basic."""

    key: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BearerCredential:
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpSource:
    """A sender, and all that proves to be it.

    One that is `lenient` may send query parameters that are not known, and make a profile with a
    PUT without If-None-Match.
    """

    name: str
    credentials: tuple[BasicCredential | BearerCredential, ...]
    lenient: bool = False


class Unauthorized(Exception):
    """The sender is not known; the message says what is wrong with the header."""


class Authenticator:
    """Knows digests only, so that a comparison takes the same time for every length of secret."""

    def __init__(self, sources: Sequence[HttpSource]) -> None:
        self._known = tuple(
            (_digest(*_shown(credential)), source.name)
            for source in sources
            for credential in source.credentials
        )

    def source(self, header: str | None) -> str:
        """The name of the source that shows this header. Raises `Unauthorized`."""
        return self._known_as(*_parse(header))

    def sender(self, key: str, secret: str) -> str:
        """The name of the source that has these, shown elsewhere. Raises `Unauthorized`."""
        return self._known_as("basic", f"{key}:{secret}".encode("utf-8", "surrogateescape"))

    def _known_as(self, scheme: str, shown: bytes) -> str:
        offered = _digest(scheme, shown)
        found: str | None = None
        # Every credential is compared, so that the time says nothing about which one matched.
        for digest, name in self._known:
            if hmac.compare_digest(digest, offered):
                found = name
        if found is None:
            raise Unauthorized("the credentials are not known here")
        return found


def _parse(header: str | None) -> tuple[str, bytes]:
    """The scheme in lower case and what it shows."""
    if header is None or not header.strip():
        raise Unauthorized("the header Authorization is missing")
    scheme, _, rest = header.strip().partition(" ")
    shown = rest.strip()
    match scheme.lower():
        case "basic":
            return "basic", _basic(shown)
        case "bearer":
            if not shown:
                raise Unauthorized("the bearer token is empty")
            return "bearer", shown.encode("utf-8", "surrogateescape")
        case _:
            raise Unauthorized("the scheme of Authorization must be Basic or Bearer")


def _basic(shown: str) -> bytes:
    try:
        decoded = base64.b64decode(shown, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unauthorized("what follows Basic is not base64") from error
    key, colon, _ = decoded.partition(b":")
    if not colon:
        raise Unauthorized("what follows Basic has no colon between key and secret")
    if not key:
        raise Unauthorized("the key that follows Basic is empty")
    return decoded


def _shown(credential: BasicCredential | BearerCredential) -> tuple[str, bytes]:
    if isinstance(credential, BasicCredential):
        return "basic", f"{credential.key}:{credential.secret}".encode()
    return "bearer", credential.token.encode()


def _digest(scheme: str, shown: bytes) -> bytes:
    return hashlib.sha256(scheme.encode() + b"\0" + shown).digest()
