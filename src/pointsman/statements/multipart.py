"""Reads a body of statements with attachments beside them.

xAPI 1.0.3 Part 3 section 1.5.2, 2.0 section 4.1.5:

Content-Type: multipart/mixed; boundary=X

--X
Content-Type: application/json        the statements
--X
Content-Type: image/png               the data of one attachment
Content-Transfer-Encoding: binary
X-Experience-API-Hash: <sha2>
--X--
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from pointsman.domain.errors import InputRefused
from pointsman.domain.frozen import record
from pointsman.domain.records import AttachedData
from pointsman.statements.json_body import JSON, media_type

MULTIPART = "multipart/mixed"
HASH = "x-experience-api-hash"
#: SHA-2 by the number of its hexadecimal digits
_SHA2 = {56: hashlib.sha224, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}
#: attachments of one body; each has a header of its own to be read
_MOST_PARTS = 1_000
#: RFC 2046 section 5.1.1
_LONGEST_BOUNDARY = 70


@record
class StatementPackage:
    """The statements as JSON, and the data that came with them by SHA-2 in lower case."""

    statements: bytes
    data: Mapping[str, AttachedData] = field(default_factory=dict)


@dataclass(slots=True)
class _Part:
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return media_type(self.headers.get("content-type", ""))

    @property
    def content(self) -> bytes:
        return b"".join(self.chunks)


def guessed_type(body: bytes) -> str:
    """The Content-Type of a body that came without one."""
    start = body.lstrip(b"\r\n")
    if not start.startswith(b"--"):
        return JSON
    boundary = start.partition(b"\n")[0].strip()[2:72].decode("latin-1").replace('"', "")
    return f'{MULTIPART}; boundary="{boundary}"'


def unpack(body: bytes, content_type: str, *, tolerant: bool = False) -> StatementPackage:
    """Raises `InputRefused` for another type, and for parts that are not what they say.

    `tolerant` takes a part for binary that does not say so (1.0.3 Part 3 section 1.5.2).
    """
    match media_type(content_type):
        case "application/json":
            return StatementPackage(body)
        case "multipart/mixed":
            return _unpack_parts(_parts(body, _boundary(content_type)), tolerant=tolerant)
        case other:
            raise InputRefused(
                f"Content-Type must be {JSON}, or {MULTIPART} with attachments, not "
                f"{other[:80] or 'missing'!r}"
            )


def _unpack_parts(parts: list[_Part], *, tolerant: bool) -> StatementPackage:
    if not parts or parts[0].kind != JSON:
        raise InputRefused(f"the first part of {MULTIPART} must be the statements, as {JSON}")
    data: dict[str, AttachedData] = {}
    for place, part in enumerate(parts[1:], start=1):
        sha2 = part.headers.get(HASH, "").lower()
        encoding = part.headers.get("content-transfer-encoding", "")
        if encoding.lower() != "binary" and (encoding or not tolerant):
            raise InputRefused(f"part {place} needs the header Content-Transfer-Encoding: binary")
        new_hash = _SHA2.get(len(sha2))
        if new_hash is None:
            raise InputRefused(f"part {place} needs the header X-Experience-API-Hash with a SHA-2")
        content = part.content
        if new_hash(content).hexdigest() != sha2:
            raise InputRefused(f"part {place} has {len(content)} bytes whose SHA-2 is not {sha2}")
        kind = part.headers.get("content-type", "application/octet-stream")
        data[sha2] = AttachedData(sha2, kind, content)
    return StatementPackage(parts[0].content, data)


def _boundary(content_type: str) -> bytes:
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not boundary or len(boundary) > _LONGEST_BOUNDARY:
        raise InputRefused(f"Content-Type {MULTIPART} needs a boundary, of up to 70 characters")
    return boundary


def _parts(body: bytes, boundary: bytes) -> list[_Part]:
    parts: list[_Part] = []
    name = bytearray()
    value = bytearray()

    def begin() -> None:
        if len(parts) > _MOST_PARTS:
            raise InputRefused(f"a body may have {_MOST_PARTS} attachments")
        parts.append(_Part())

    def end_header() -> None:
        text = value.decode("latin-1").strip()
        parts[-1].headers[name.decode("latin-1").strip().lower()] = text
        name.clear()
        value.clear()

    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": begin,
            "on_header_field": lambda data, start, end: name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: value.extend(data[start:end]),
            "on_header_end": end_header,
            "on_part_data": lambda data, start, end: parts[-1].chunks.append(data[start:end]),
        },
    )
    first = body.find(b"--" + boundary)  # what stands before it says nothing (RFC 2046)
    if first < 0:
        raise InputRefused("the body does not have the boundary that Content-Type names")
    if b"--" + boundary + b"--" not in body[first:]:
        raise InputRefused("the body ends without its closing boundary")
    try:
        parser.write(body[first:])
        parser.finalize()
    except MultipartParseError as error:
        raise InputRefused(f"the body is no {MULTIPART}: {error}") from None
    return parts
