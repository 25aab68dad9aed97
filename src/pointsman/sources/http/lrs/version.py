"""Which version of xAPI a request is written in, and which one its answer names.

1.0.3 Part 3 section 3.3 and 2.0 section 4.1.6.2 ask for the header on every request and answer.
"""

from __future__ import annotations

import re

HEADER = "X-Experience-API-Version"
#: every version that the about resource lists
SUPPORTED = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0")
_ONE = "1.0.3"
_TWO = "2.0.0"
# "1.0" alone is to be taken as 1.0.0; patch versions never change what a request means
_ONE_PATTERN = re.compile(r"1\.0(\.[0-9]{1,9})?")
_TWO_PATTERN = re.compile(r"2\.0\.[0-9]{1,9}")


class VersionRefused(ValueError):
    """The version header is missing, or names one that is not spoken here."""


def negotiate(header: str | None) -> str:
    """The version to answer in: "1.0.3" or "2.0.0". Raises `VersionRefused`."""
    if header is None:
        raise VersionRefused(f"the header {HEADER} is missing; send 1.0.3 or 2.0.0")
    if _ONE_PATTERN.fullmatch(header):
        return _ONE
    if _TWO_PATTERN.fullmatch(header):
        return _TWO
    raise VersionRefused(f"{HEADER} must be 1.0, 1.0.x or 2.0.x")


def answered(header: str | None, *, probing: bool = False) -> str:
    """The version that any answer carries, to a refused request too.

    Whoever names none gets the newest; but the refusal of a bare GET, with which somebody is
    `probing`, has the one that clients of both know. ADL's conformance tests of 1.0.3 ask for 1.0.x
    there, and those of 2.0 for 2.0.0 elsewhere.
    """
    if header is None and probing:
        return _ONE
    try:
        return negotiate(header)
    except VersionRefused:
        return _TWO
