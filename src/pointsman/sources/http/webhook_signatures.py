"""Checks who signed a body, and when: HMAC-SHA256 (RFC 2104). Pure.

Standard Webhooks 1.0.0 (https://www.standardwebhooks.com) is one scheme, under two sets of header
names; the others are what an operator's settings say of a sender. No message repeats anything of a
secret or of a right signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from pointsman.domain.errors import Unauthorized

_DIGEST_BYTES = 32
#: parts of one header that are looked at; a sender that changes its secret shows two signatures
_MOST_PARTS = 20
_LONGEST_ID = 256
_MILLISECONDS_FROM = 100_000_000_000
_BODY = "{body}"
_STANDARD_ALPHABET = str.maketrans("-_", "+/")
_NUMBER = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,9})?")
_VARIABLE = re.compile(r"\{(?:id|timestamp)\}")


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """How one sender signs."""

    header: str
    format: Literal["hex", "base64"] = "hex"
    #: what stands in front of each signature
    prefix: str = ""
    timestamp_header: str | None = None
    #: the part of `header` that begins so is the time of sending
    timestamp_prefix: str | None = None
    id_header: str | None = None
    #: what is between the parts of `header`: signatures, of other kinds too, and the time. "": it
    #: has one signature and nothing else
    separator: str = ""
    #: what is signed, made of `{id}`, `{timestamp}` and `{body}`
    signed: str = _BODY

    @property
    def has_timestamp(self) -> bool:
        return self.timestamp_header is not None or self.timestamp_prefix is not None

    @property
    def timestamp_place(self) -> str:
        """Where the time of sending is, for a person."""
        if self.timestamp_header is not None:
            return self.timestamp_header
        return f"{self.timestamp_prefix} in {self.header}"

    @property
    def expected(self) -> str:
        """What the header has to hold, for a person."""
        return f"{self.prefix}{{HMAC-SHA256 of {self.signed}, in {self.format}}}"


def _standard(brand: str) -> SignatureScheme:
    return SignatureScheme(
        f"{brand}-signature",
        "base64",
        "v1,",
        timestamp_header=f"{brand}-timestamp",
        id_header=f"{brand}-id",
        separator=" ",
        signed="{id}.{timestamp}.{body}",
    )


#: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, and
#: the names that Svix and all who send through it give the same headers
STANDARD = (_standard("webhook"), _standard("svix"))


class SignatureRefused(Unauthorized):
    """Nobody has signed this as it should be; the message names the header."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What the headers of a request say."""

    scheme: SignatureScheme
    signatures: tuple[bytes, ...]
    #: what is signed in front of the body, and behind it
    lead: bytes
    tail: bytes = b""
    #: Unix seconds
    sent_at: float | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookVerifier:
    """One sender's schemes, of which a request follows one, and the keys, any of which will do.

    `keys` is asked each time, for secrets change. `tolerance` is how many seconds a timestamp may
    be away from our clock.
    """

    schemes: Sequence[SignatureScheme]
    keys: Callable[[], Sequence[bytes]] = field(repr=False)
    tolerance: float

    def read_headers(self, headers: Mapping[str, str]) -> SignedRequest:
        """What a request shows, before its body is read. Raises `SignatureRefused`."""
        scheme = next(
            (scheme for scheme in self.schemes if headers.get(scheme.header, "").strip()), None
        )
        if scheme is None:
            names = " or ".join(scheme.header for scheme in self.schemes)
            raise SignatureRefused(
                f"the header {names} is missing; expected {self.schemes[0].expected}"
            )
        parts = _parts(scheme, _header(headers, scheme.header, scheme.expected))
        message_id: str | None = None
        if scheme.id_header is not None:
            message_id = _header(headers, scheme.id_header, "the id of the message")
            if len(message_id) > _LONGEST_ID:
                raise SignatureRefused(f"{scheme.id_header} is longer than {_LONGEST_ID}")
        timestamp = _timestamp(scheme, headers, parts)
        signatures = tuple(_signatures(scheme, parts))
        if not signatures:
            raise SignatureRefused(f"the header {scheme.header} must be {scheme.expected}")
        lead, _, tail = scheme.signed.partition(_BODY)
        values = {"{id}": message_id or "", "{timestamp}": timestamp or ""}
        return SignedRequest(
            scheme,
            signatures,
            _filled(lead, values),
            _filled(tail, values),
            None if timestamp is None else _seconds(scheme.timestamp_place, timestamp),
            message_id,
        )

    def check(self, request: SignedRequest, body: bytes, now: float) -> None:
        """Raises `SignatureRefused`; `now` is in Unix seconds."""
        scheme = request.scheme
        signed = request.lead + body + request.tail
        fits = False
        # All are compared, so that the time says nothing about which one matched.
        for key in self.keys():
            right = hmac.new(key, signed, hashlib.sha256).digest()
            for signature in request.signatures:
                fits |= hmac.compare_digest(right, signature)
        if not fits:
            raise SignatureRefused(
                f"the signature in {scheme.header} is not one of this body with a known secret; "
                f"expected {scheme.expected}"
            )
        age = 0 if request.sent_at is None else now - request.sent_at
        if abs(age) > self.tolerance:
            side = "before" if age > 0 else "after"
            raise SignatureRefused(
                f"{scheme.timestamp_place} is {abs(age):.0f} s {side} this clock; expected within "
                f"{self.tolerance:g} s of it (tolerance_seconds)"
            )


def _header(headers: Mapping[str, str], name: str, expected: str) -> str:
    text = headers.get(name, "").strip()
    if not text:
        raise SignatureRefused(f"the header {name} is missing; expected {expected}")
    if not (text.isascii() and text.isprintable()):
        raise SignatureRefused(f"the header {name} has characters that no header has")
    return text


def _parts(scheme: SignatureScheme, text: str) -> list[str]:
    if not scheme.separator:
        return [text]
    return [part.strip() for part in text.split(scheme.separator, _MOST_PARTS)[:_MOST_PARTS]]


def _timestamp(
    scheme: SignatureScheme, headers: Mapping[str, str], parts: Sequence[str]
) -> str | None:
    if scheme.timestamp_header is not None:
        return _header(headers, scheme.timestamp_header, "Unix seconds")
    prefix = scheme.timestamp_prefix
    if prefix is None:
        return None
    times = [part.removeprefix(prefix) for part in parts if part.startswith(prefix)]
    if len(times) != 1:
        raise SignatureRefused(
            f"the header {scheme.header} must have one part {prefix}{{Unix seconds}}, and has "
            f"{len(times)}"
        )
    return times[0]


def _filled(text: str, values: Mapping[str, str]) -> bytes:
    # in one go: what a value says is not looked into
    return _VARIABLE.sub(lambda variable: values[variable[0]], text).encode()


def _signatures(scheme: SignatureScheme, parts: Sequence[str]) -> list[bytes]:
    """Those of this scheme; what is none is left out."""
    signatures: list[bytes] = []
    for part in parts:
        if not part.startswith(scheme.prefix):
            continue
        signature = part.removeprefix(scheme.prefix)
        try:
            digest = bytes.fromhex(signature) if scheme.format == "hex" else _from_base64(signature)
        except (ValueError, binascii.Error):
            continue
        if len(digest) == _DIGEST_BYTES:
            signatures.append(digest)
    return signatures


def _from_base64(text: str) -> bytes:
    """Either alphabet, with or without padding (RFC 4648, sections 3.2 and 5)."""
    text = text.rstrip("=").translate(_STANDARD_ALPHABET)
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _seconds(place: str, text: str) -> float:
    """Of Unix seconds or milliseconds, with a fraction or without, or of ISO 8601 (Zendesk)."""
    if _NUMBER.fullmatch(text):
        number = float(text)
        return number / 1_000 if number >= _MILLISECONDS_FROM else number
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise SignatureRefused(
            f"the header {place} must be Unix seconds, or a time of ISO 8601"
        ) from None
