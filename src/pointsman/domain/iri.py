"""Compares IRIs by what they name, not letter by letter. Pure.

Syntax-based and scheme-based normalization, RFC 3986 sections 6.2.2 and 6.2.3, RFC 3987 section
5.3: the case of scheme and host, escapes of what needs none and the case of the others, dot
segments, an empty path, a default port, a host in Punycode. What else differs names something else:
http and https, a slash at the end of a longer path, Unicode that was not composed (RFC 3987 section
5.3.2.2).

For finding out who and what is meant. Statements keep what was sent, and xAPI's own comparisons,
such as those of queries, go letter by letter.
"""

from __future__ import annotations

import re
import string
from urllib.parse import unquote, urlsplit

import idna

_PARTS = re.compile(
    r"([A-Za-z][A-Za-z0-9+.\-]*):(?://([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL
)
_HOST_AND_PORT = re.compile(r"(.*?)(?::([0-9]*))?", re.DOTALL)
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
#: what no IRI holds (RFC 3987 section 2.2)
_UNWRITABLE = re.compile(r'[\x00-\x20<>"{}|\\^`\x7f]')
_HOST = re.compile(r"[^/?#@\[\]]+")
_DEFAULT_PORTS = {"http": "80", "ws": "80", "https": "443", "wss": "443", "ftp": "21"}
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
#: ucschar of RFC 3987 section 2.2, without the characters of section 4.1 that turn text around
_UCSCHAR = re.compile(
    "[\u00a0-\u200d\u2010-\u2029\u202f-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"
    "\U00010000-\U0001fffd\U00020000-\U0002fffd\U00030000-\U0003fffd\U00040000-\U000dfffd"
    "\U000e1000-\U000efffd]"
)
#: what `surrogateescape` makes of a byte that is no UTF-8
_FIRST_LONE_BYTE, _LAST_LONE_BYTE = 0xDC80, 0xDCFF
_BYTES_OF_IPV4, _MAX_BYTE = 4, 255
#: RFC 1035 section 2.3.4
_MAX_HOST = 255


def comparable(iri: str) -> str:
    """The same text for every spelling of an IRI; what is no IRI stays as it is."""
    parts = _PARTS.fullmatch(iri)
    if parts is None:
        return iri
    scheme, authority, path, query, fragment = parts.groups()
    scheme = scheme.lower()
    path, rest = _decoded(path), _decoded((query or "") + (fragment or ""))
    if authority is None:
        return f"{scheme}:{_urn(path) if scheme == 'urn' else path}{rest}"
    path = _without_dot_segments(path) or "/"
    return f"{scheme}://{_authority(scheme, authority)}{path}{rest}"


def same_iri(iri: str, other: str) -> bool:
    return iri == other or comparable(iri) == comparable(other)


def web_address_problem(url: str) -> str:
    """Why a browser could not open this as http(s), for a person; empty where it could."""
    match = _UNWRITABLE.search(url)
    if match is not None:
        return f"must not hold {match[0]!a}; a space is written %20"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        return f"is no URL: {error}"
    if parts.scheme not in {"http", "https"}:
        return "must be an http:// or https:// URL"
    if not host or not _is_host(unquote(host)):
        return "must name a host"
    return ""


def _is_host(host: str) -> bool:
    """Whether browsers take it for one (WHATWG URL section 3.5); `host` is without brackets."""
    if not _HOST.fullmatch(host) or _UNWRITABLE.search(host) or "%" in host:
        return False
    *labels, last = host.rstrip(".").split(".")
    if not last.isdecimal() or ":" in host:
        return True
    # what ends in a number is an address
    numbers = [*labels, last]
    return len(numbers) <= _BYTES_OF_IPV4 and all(
        number.isdecimal() and int(number) <= _MAX_BYTE for number in numbers
    )


def is_mailbox(name: str) -> bool:
    """Whether a learner is named by an address, and not by an account or another identifier."""
    local, at, domain = name.rpartition("@")
    return bool(local and at and domain) and not any(mark in name for mark in ("://", "|"))


def mailbox_address(mailbox: str) -> str:
    """The e-mail address of a `mailto:` IRI: its escapes are characters (RFC 6068 section 2)."""
    address = mailbox.partition(":")[2]
    if "%" not in address:
        return address
    decoded = unquote(address, errors="surrogateescape")
    return decoded if decoded.isprintable() and " " not in decoded else address


def mailbox(address: str) -> str:
    """The `mailto:` IRI of an e-mail address (RFC 6068 section 2)."""
    return "mailto:" + address.replace("%", "%25")


def _authority(scheme: str, authority: str) -> str:
    user, at, host_and_port = authority.rpartition("@")
    match = _HOST_AND_PORT.fullmatch(host_and_port)
    host, port = match.groups() if match else (host_and_port, None)
    port = port and (port.lstrip("0") or "0")
    kept = f":{port}" if port and port != _DEFAULT_PORTS.get(scheme) else ""
    return f"{_decoded(user)}{at}{_host(host)}{kept}"


def _host(host: str) -> str:
    host = _decoded(host).lower()
    if host.isascii() or len(host) > _MAX_HOST:
        return host
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return host


def _urn(path: str) -> str:
    """RFC 8141 section 3.1: the namespace in any case; a UUID too (RFC 9562 section 4)."""
    namespace, colon, name = path.partition(":")
    namespace = namespace.lower()
    return f"{namespace}{colon}{name.lower() if namespace == 'uuid' else name}"


def _without_dot_segments(path: str) -> str:
    """RFC 3986 section 5.2.4."""
    if "/." not in path:
        return path
    segments: list[str] = []
    *before, last = path.split("/")[1:]
    for segment in before:
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    if last == "..":
        del segments[-1:]
    segments.append("" if last in {".", ".."} else last)
    return "/" + "/".join(segments)


def _decoded(text: str) -> str:
    """With those escapes that an IRI can do without as characters, and the others in capitals."""
    return _ESCAPES.sub(_decode, text) if "%" in text else text


def _decode(escapes: re.Match[str]) -> str:
    content = bytes.fromhex(escapes[0].replace("%", ""))
    return "".join(map(_written, content.decode("utf-8", "surrogateescape")))


def _written(character: str) -> str:
    if character in _UNRESERVED or _UCSCHAR.fullmatch(character):
        return character
    if _FIRST_LONE_BYTE <= ord(character) <= _LAST_LONE_BYTE:
        return f"%{ord(character) - _FIRST_LONE_BYTE + 0x80:02X}"
    return "".join(f"%{byte:02X}" for byte in character.encode())
