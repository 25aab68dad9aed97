"""Checks If-Match and If-None-Match. Pure.

RFC 9110 section 13; xAPI 1.0.3 Part 3 section 3.1, 2.0 section 4.1.4.
An ETag is the SHA-1 of a document, quoted. Players send it with and without the quotes. A proxy
that compresses makes another of it on the way out, and leaves it so on the way in: a weak one
(nginx), or one with an ending (Apache -gzip, Jetty --gzip, Caddy -zstd).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.sources.http.lrs.resources import UNCONDITIONAL_PUT, Resource, Unconditional
from pointsman.store.base import Document

_TAG = re.compile(r'(?:[Ww]/)?"?([^"]*?)(?:[-;:]{1,2}(?:gzip|br|zstd|deflate))?"?')


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a document was left as it is; `reason` is plain text for a person."""

    status: int
    reason: str


def etag(document: Document) -> str:
    return f'"{document.etag}"'


def refusal(
    resource: Resource,
    method: str,
    version: str,
    headers: Mapping[str, str],
    old: Document | None,
    *,
    lenient: bool = False,
) -> Refusal | None:
    """Whether a PUT, POST or DELETE may change `old`; None when it may.

    A lenient source may always make a document that is not there: PyPI's tincan knows no other way.
    """
    wanted, unwanted = headers.get("If-Match"), headers.get("If-None-Match")
    if wanted is not None and not _names(wanted, old):
        return Refusal(412, f"If-Match: {_now(old)}; nothing was changed. GET it, and try again")
    if unwanted is not None and _names(unwanted, old):
        return Refusal(412, f"If-None-Match: {_now(old)}; nothing was changed")
    if method != "PUT" or wanted is not None or unwanted is not None:
        return None
    rule = UNCONDITIONAL_PUT[resource, version]
    if rule is Unconditional.OVERWRITES:
        return None
    if old is None and (lenient or rule is Unconditional.CREATES):
        return None
    if old is None:
        return Refusal(
            400,
            "a PUT needs If-Match with an ETag, or If-None-Match: *; for clients that send "
            "neither, mark the source lenient = true",
        )
    return Refusal(
        409,
        f"{_now(old)}; a PUT needs If-Match with that to replace it. GET the document, see what "
        "it holds now, and try again",
    )


def _now(old: Document | None) -> str:
    return "there is no such document" if old is None else f"the document's ETag is {etag(old)}"


def _names(header: str, old: Document | None) -> bool:
    """Whether one of a header's ETags is the document's; * is that of any."""
    if old is None:
        return False
    tags = [_TAG.fullmatch(tag.strip()) for tag in header.split(",")]
    return any(tag is not None and tag[1] in {"*", old.etag} for tag in tags)
