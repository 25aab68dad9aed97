"""Decides who sends a request: a source with its credentials, or a launched player.

HTTP Basic (RFC 7617) is what xAPI asks for; a bearer (RFC 6750) is for gateways. No message repeats
anything of the header: what was sent may be a secret with a slip in it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace

from pydantic import SecretStr

from pointsman.domain.errors import Unauthorized
from pointsman.domain.frozen import record
from pointsman.domain.launch import Launch
from pointsman.sources.http.errors import too_many_tries
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.sources.players import (
    CredentialExpired,
    CredentialIssuer,
    CredentialRefused,
    LaunchCache,
    Purpose,
)
from pointsman.sources.players.credentials import (
    CredentialRevoked,
    SignedCredential,
    credential_from_header,
)

#: the source that everything belongs to that launched players say; no configured one has its name
LAUNCHED = "launch"
#: headers that were good are remembered up to so many, by address, and to so many characters
_MOST_REMEMBERED, _MOST_CHARACTERS = 10_000, 512


@record
class BasicCredential:
    """The user name (which RFC 7617 allows no colon) and the password of HTTP Basic."""

    key: str
    secret: SecretStr

    @property
    def shown(self) -> tuple[str, bytes]:
        """The scheme, and what stands behind it."""
        return "basic", f"{self.key}:{self.secret.get_secret_value()}".encode()


@record
class BearerCredential:
    token: SecretStr

    @property
    def shown(self) -> tuple[str, bytes]:
        """The scheme, and what stands behind it."""
        return "bearer", self.token.get_secret_value().encode()


@record
class HttpSource:
    """A sender, and all that proves to be it.

    One that is `lenient` may send query parameters that are not known, and make a profile with a
    PUT without If-None-Match. A body of it has `max_body_bytes`, or as many as any may have.
    """

    name: str
    credentials: tuple[BasicCredential | BearerCredential, ...]
    lenient: bool = False
    max_body_bytes: int | None = None


class _Expected:
    """The digest of what proves to be a sender; made again only where the secret has changed."""

    __slots__ = ("_credential", "_digest", "_shown")

    def __init__(self, credential: BasicCredential | BearerCredential) -> None:
        self._credential = credential
        self._shown = credential.shown
        self._digest = _digest(*self._shown)

    def digest(self) -> bytes:
        shown = self._credential.shown
        if shown != self._shown:
            self._shown, self._digest = shown, _digest(*shown)
        return self._digest


#: what a header proved to be, its digest, and the name of the source
_Good = tuple[_Expected, bytes, str]


class Authenticator:
    """Compares digests only, so that it takes the same time for every length of secret.

    `attempts` counts those that failed, and refuses who guesses. A header that was good from an
    address is remembered, for it comes with every request; one that was not is looked at again.
    """

    def __init__(self, sources: Sequence[HttpSource], attempts: FailedAttempts) -> None:
        self._attempts = attempts
        #: by header and address, in the order of their last use
        self._good: OrderedDict[tuple[str, str], _Good] = OrderedDict()
        self._sources = tuple(
            (_Expected(credential), source.name)
            for source in sources
            for credential in source.credentials
        )

    def source(self, header: str | None, address: str) -> str:
        """The name of the source that shows this header, from this address.

        Raises `Unauthorized`, and `RequestRefused` where the sender has to wait.
        """
        source = self.remembered(header, address)
        if source is not None:
            return source
        good = self._source_of(*_parse(header), address)
        if header is not None and len(header) <= _MOST_CHARACTERS:
            self._good[header, address] = good
            if len(self._good) > _MOST_REMEMBERED:
                self._good.popitem(last=False)
        return good[2]

    def remembered(self, header: str | None, address: str) -> str | None:
        """The name of the source, where this header was good from this address and still is."""
        if header is None or (good := self._good.get((header, address))) is None:
            return None
        expected, digest, source = good
        if expected.digest() != digest:  # the secret has changed
            del self._good[header, address]
            return None
        self._good.move_to_end((header, address))
        return source

    def sender(self, key: str, secret: str, address: str) -> str:
        """The name of the source that has these, shown elsewhere; raises as `source` does."""
        shown = f"{key}:{secret}".encode("utf-8", "surrogateescape")
        return self._source_of("basic", shown, address)[2]

    def _source_of(self, scheme: str, shown: bytes, address: str) -> _Good:
        offered = _digest(scheme, shown)
        # what names a bearer is the bearer, which is secret: all of them are one key
        key = shown.partition(b":")[0] if scheme == "basic" else b""
        if wait := self._attempts.must_wait(address, key, offered):
            raise too_many_tries("credentials", wait)
        good: _Good | None = None
        # Every credential is compared, so that the time says nothing about which one matched.
        for expected, name in self._sources:
            if hmac.compare_digest(expected.digest(), offered):
                good = expected, offered, name
        if good is None:
            self._attempts.failed(address, key)
            raise Unauthorized("the credentials are not known here")
        self._attempts.succeeded(address, offered)
        return good


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


def _digest(scheme: str, shown: bytes) -> bytes:
    return hashlib.sha256(scheme.encode() + b"\0" + shown).digest()


@record
class AuthorizedSender:
    """Who sends. A launched player speaks for its launch only."""

    source: str
    launch: Launch | None = None


class RequestAuthorizer:
    """Lets sources in, and launched players.

    Without `credentials` and `launches` no player is launched. `count_request` is told the
    registration of each request with a credential of a launch, and raises where it is one too many.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        credentials: CredentialIssuer | None = None,
        launches: LaunchCache | None = None,
        count_request: Callable[[str], None] = lambda _registration: None,
    ) -> None:
        self._authenticator = authenticator
        self._credentials = credentials
        self._launches = launches
        self._count_request = count_request

    def remembered(self, authorization: str | None, address: str) -> str | None:
        """The source that `authorize` found for these, while its secret is the same."""
        return self._authenticator.remembered(authorization, address)

    async def authorize(self, authorization: str | None, address: str) -> AuthorizedSender:
        """Who shows this header, from this address.

        Raises `Unauthorized`, `StoreUnavailable`, and `RequestRefused` where the sender has to
        wait.
        """
        credentials = self._credentials
        token = None if credentials is None else credential_from_header(authorization)
        signed = None if token is None or credentials is None else credentials.signed(token)
        # what we signed ourselves is no guess, even when it is good no longer
        if signed is not None:
            return AuthorizedSender(LAUNCHED, await self._launch(signed, Purpose.XAPI))
        try:
            return AuthorizedSender(self._authenticator.source(authorization, address))
        except Unauthorized:
            if token is None:
                raise
        # says what is wrong with it
        return AuthorizedSender(LAUNCHED, await self.launch(token, Purpose.XAPI))

    async def launch(self, token: str, *purposes: Purpose) -> Launch:
        """The launch that a credential for one of these purposes is of.

        Raises `CredentialRefused`, `StoreUnavailable` and what `count_request` raises. One that is
        revoked has not merely expired.
        """
        signed = None if self._credentials is None else self._credentials.signed(token)
        return await self._launch(signed, *purposes)

    async def _launch(self, signed: SignedCredential | None, *purposes: Purpose) -> Launch:
        if self._credentials is None or self._launches is None:
            raise CredentialRefused("there are no launches here")
        expired: CredentialExpired | None = None
        try:
            shown = self._credentials.check_signed(signed, *purposes)
        except CredentialExpired as error:
            shown, expired = error.credential, error
        self._count_request(shown.registration)
        launch, revoked = await self._launches.newest(shown.registration, shown.learner)
        if revoked.is_after(shown.revoked):
            raise CredentialRevoked
        if expired is not None:
            raise expired
        if launch is None or (launch.learner, launch.activity) != (shown.learner, shown.activity):
            raise CredentialRefused("this launch is not known any longer; start the activity again")
        if launch.session == shown.session:
            return launch
        # the session of the credential, which need not be the newest
        return replace(launch, session=shown.session)
