"""Refuses what another site's page asks of operators' routes.

A browser adds the password that it was once told to every request to us, whichever page makes it
(https://developer.mozilla.org/docs/Web/Security/Attacks/CSRF), so a password says nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from pointsman.sources.http.errors import RequestRefused


def is_of_another_site(headers: Mapping[str, str], host: str, origins: Sequence[str]) -> bool:
    """Whether a page asks that is neither ours nor of `origins`; "*" allows none here.

    What is no browser sends neither of the two headers.
    """
    origin = headers.get("Origin")
    if origin is None:
        return headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}
    return origin not in origins and urlsplit(origin).netloc.lower() != host.lower()


def without_other_sites(handler: Handler, origins: Sequence[str]) -> Handler:
    """The handler, for who is no page of another site."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if is_of_another_site(request.headers, request.host, origins):
            raise RequestRefused(
                403,
                "a page of another site may not ask this; ask from a server, or name the page's "
                "origin in http.cors_origins",
            )
        return await handler(request)

    return handle
