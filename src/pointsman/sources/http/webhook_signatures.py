"""Checks who signed a body, and when: HMAC-SHA256 (RFC 2104). Pure.

Standard Webhooks 1.0.0 (https://www.standardwebhooks.com) is one scheme, with headers of its own;
the other is a signature in a header that the operator names. No message repeats anything of a
secret or of a right signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pointsman.domain.errors import Unauthorized

_DIGEST_BYTES = 32
#: signatures of one request that are looked at; a sender that changes its secret shows two
_MOST_SIGNATURES = 10
_LONGEST_ID = 256
_MILLISECONDS_FROM = 100_000_000_000


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """How one sender signs: what it signs is `id.timestamp.body`, of those parts that it has."""

    header: str
    format: Literal["hex", "base64"] = "hex"
    #: what stands in front of each signature
    prefix: str = ""
    timestamp_header: str | None = None
    id_header: str | None = None
    #: signatures are separated by spaces, and of others' prefixes too
    several: bool = False

    @property
    def expected(self) -> str:
        """What the header has to hold, for a person."""
        headers = [name for name in (self.id_header, self.timestamp_header) if name is not None]
        content = ".".join([*(f"{{{name}}}" for name in headers), "body"])
        return f"{self.prefix}{{HMAC-SHA256 of {content}, in {self.format}}}"


#: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
STANDARD = SignatureScheme(
    "webhook-signature", "base64", "v1,", "webhook-timestamp", "webhook-id", several=True
)


class SignatureRefused(Unauthorized):
    """Nobody has signed this as it should be; the message names the header."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What the headers of a request say."""

    signatures: tuple[bytes, ...]
    #: what is signed in front of the body
    lead: bytes
    #: Unix seconds
    sent_at: float | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookVerifier:
    """One sender's scheme and secrets: any of them will do, so that they can be changed.

    `tolerance` is how many seconds a timestamp may be away from our clock.
    """

    scheme: SignatureScheme
    secrets: Sequence[bytes] = field(repr=False)
    tolerance: float

    def read_headers(self, headers: Mapping[str, str]) -> SignedRequest:
        """What a request shows, before its body is read. Raises `SignatureRefused`."""
        scheme = self.scheme
        text = self._header(headers, scheme.header, scheme.expected)
        lead: list[str] = []
        message_id: str | None = None
        if scheme.id_header is not None:
            message_id = self._header(headers, scheme.id_header, "the id of the message")
            if len(message_id) > _LONGEST_ID:
                raise SignatureRefused(f"{scheme.id_header} is longer than {_LONGEST_ID}")
            lead.append(message_id)
        sent_at: float | None = None
        if scheme.timestamp_header is not None:
            sent = self._header(headers, scheme.timestamp_header, "Unix seconds")
            sent_at = _seconds(scheme.timestamp_header, sent)
            lead.append(sent)
        signatures = tuple(_signatures(scheme, text))
        if not signatures:
            raise SignatureRefused(f"the header {scheme.header} must be {scheme.expected}")
        return SignedRequest(
            signatures, "".join(f"{part}." for part in lead).encode(), sent_at, message_id
        )

    def check(self, signed: SignedRequest, body: bytes, now: float) -> None:
        """Raises `SignatureRefused`; `now` is in Unix seconds."""
        scheme = self.scheme
        fits = False
        # All are compared, so that the time says nothing about which one matched.
        for secret in self.secrets:
            right = hmac.new(secret, signed.lead + body, hashlib.sha256).digest()
            for signature in signed.signatures:
                fits |= hmac.compare_digest(right, signature)
        if not fits:
            raise SignatureRefused(
                f"the signature in {scheme.header} is not one of this body with a known secret; "
                f"expected {scheme.expected}"
            )
        age = 0 if signed.sent_at is None else now - signed.sent_at
        if abs(age) > self.tolerance:
            side = "before" if age > 0 else "after"
            raise SignatureRefused(
                f"{scheme.timestamp_header} is {abs(age):.0f} s {side} this clock; expected within "
                f"{self.tolerance:g} s of it (tolerance_seconds)"
            )

    @staticmethod
    def _header(headers: Mapping[str, str], name: str, expected: str) -> str:
        text = headers.get(name, "").strip()
        if not text:
            raise SignatureRefused(f"the header {name} is missing; expected {expected}")
        if not (text.isascii() and text.isprintable()):
            raise SignatureRefused(f"the header {name} has characters that no header has")
        return text


def _signatures(scheme: SignatureScheme, text: str) -> list[bytes]:
    """Those of this scheme; what is none is left out."""
    shown = text.split()[:_MOST_SIGNATURES] if scheme.several else [text]
    signatures: list[bytes] = []
    for part in shown:
        if not part.startswith(scheme.prefix):
            continue
        signature = part.removeprefix(scheme.prefix)
        try:
            digest = (
                bytes.fromhex(signature)
                if scheme.format == "hex"
                else base64.b64decode(signature, validate=True)
            )
        except (ValueError, binascii.Error):
            continue
        if len(digest) == _DIGEST_BYTES:
            signatures.append(digest)
    return signatures


def _seconds(header: str, text: str) -> float:
    if not text.isdecimal() or len(text) > len(str(_MILLISECONDS_FROM * 10)):
        raise SignatureRefused(f"the header {header} must be Unix seconds, a whole number")
    number = int(text)
    return number / 1_000 if number >= _MILLISECONDS_FROM else number
