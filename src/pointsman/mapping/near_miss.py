"""Finds what a person may have meant where two addresses are not the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from pointsman.domain.iri import comparable

#: of addresses that are alike enough for one of them to be a slip of the pen
_ALIKE = 0.9
_WEB = re.compile(r"https?://(?:www\.)?([^/:?#]*)(?::[0-9]+)?")


def loose(iri: str) -> str:
    """Without what people leave out or mistake: http and https, port, www, case, a last slash."""
    text = _WEB.sub(r"web://\1", comparable(iri), count=1).casefold()
    return text.rstrip("/")


def nearest(iri: str, known: Iterable[str]) -> str | None:
    """The one of `known` that was probably meant."""
    by_loose = {loose(other): other for other in known}
    close = get_close_matches(loose(iri), by_loose, n=1, cutoff=_ALIKE)
    return by_loose[close[0]] if close else None
