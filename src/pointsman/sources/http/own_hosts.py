"""Refuses what is asked of operators' port under a name that is not its own.

The owner of a name can let it lead to our address. A page that came from there before is then, for
its browser, of one origin with us, and reads all that the browser's user can reach (DNS rebinding).
The name in Host is the one that it has, and no address: so addresses are good.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from http import HTTPStatus
from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler

from pointsman.sources.http.errors import RequestRefused

#: RFC 9110 section 7.2: a name or an address, and a port
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^:\[\]@/\s]+))(?::[0-9]*)?", re.IGNORECASE)
_LOOPBACK = frozenset({"localhost"})


def is_own_host(host: str, names: Collection[str]) -> bool:
    """Whether `host`, as in the header, is an address, this machine's own name, or of `names`."""
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = (match[1] or match[2]).lower().removesuffix(".")
    if name in _LOOPBACK or name in {known.lower().removesuffix(".") for known in names}:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def under_own_names(handler: Handler, names: Collection[str]) -> Handler:
    """The handler, for requests whose Host is ours. No browser leaves Host out."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if not all(is_own_host(host, names) for host in request.headers.getall("Host", [])):
            raise RequestRefused(
                HTTPStatus.MISDIRECTED_REQUEST,
                "operators' port does not answer under the name in this request's Host; ask by "
                "address, or add the name to http.operator.hosts",
            )
        return await handler(request)

    return handle
