"""Sends HTTP requests: whole answers up to a size, no cookies, no redirects.

It acts for many learners, so nothing of one answer may go into another request: it keeps no
cookies. Nothing else in pointsman makes a `ClientSession`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import field
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

from pointsman.domain.clock import Clock, SystemClock
from pointsman.domain.errors import ConfigError, Retry
from pointsman.domain.frozen import record
from pointsman.outgoing.certificates import WatchedCertificates
from pointsman.outgoing.proxies import Proxy, proxy_for
from pointsman.outgoing.settings import OutgoingSettings

#: a query may hold a key
_QUERY = re.compile(r"\?[^\s'\"]*")
_LOCAL = {"localhost", "127.0.0.1", "::1"}


class NoReply(Retry):
    """No answer came; the message says why, and what the way out is set to.

    `reached`: something was there, and what it sent is no answer.
    """

    def __init__(self, message: str, *, reached: bool = False) -> None:
        super().__init__(message)
        self.reached = reached


@record
class HttpReply:
    """`headers` looks names up without regard to case. A body that was too large is cut."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    is_whole: bool = True


class Address:
    """Where requests go. For one that is used again its proxy and its URL are found once."""

    __slots__ = ("query", "url")

    def __init__(self, url: str, query: Mapping[str, str] | None = None) -> None:
        self.url = url
        self.query = query


@record
class _Way:
    """How an address is reached."""

    #: with the query
    url: str
    proxy: Proxy | None


def _with_query(address: Address) -> str:
    if not address.query:
        return address.url
    joint = "&" if "?" in address.url else "?"
    return f"{address.url}{joint}{urlencode(address.query, quote_via=quote)}"


class HttpClient:
    """Keep-alive connections, opened when they are used first.

    `prefix` stands before the names of `settings` in messages: `platform.`, or `--` for options.
    """

    def __init__(
        self,
        settings: OutgoingSettings,
        prefix: str,
        *,
        timeout_seconds: float,
        connections: int = 8,
        max_bytes: int,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._prefix = prefix
        self._timeout_seconds = timeout_seconds
        self._connections = connections
        self._max_bytes = max_bytes
        self._certificates = WatchedCertificates(settings, clock or SystemClock())
        self._session: aiohttp.ClientSession | None = None
        self._way: tuple[Address, _Way] | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(
        self,
        method: str,
        url: str | Address,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> HttpReply:
        """One request. Raises `NoReply`."""
        address = url if isinstance(url, Address) else Address(url, query)
        way: _Way | None = None
        try:
            way = self._way_to(address)
            proxy_headers: dict[str, str] = {}
            if way.proxy is not None and way.proxy.authorization is not None:
                # to a plain http address the request itself goes to the proxy
                headers = dict(headers or {})
                to = proxy_headers if way.url.startswith("https:") else headers
                to["Proxy-Authorization"] = way.proxy.authorization
            async with self._open().request(
                method,
                way.url,
                headers=headers,
                data=body,
                allow_redirects=False,
                ssl=self._certificates.context(),
                proxy=None if way.proxy is None else way.proxy.url,
                proxy_headers=proxy_headers or None,
            ) as response:
                content, is_whole = await self._read(response)
                return HttpReply(response.status, response.headers, content, is_whole)
        except (aiohttp.ClientError, OSError, EOFError, ValueError, ConfigError) as error:
            # A TimeoutError is an OSError; a ValueError is about a header or an address, of ours or
            # of the answer, that can't be read.
            away = isinstance(error, (aiohttp.ClientConnectionError, TimeoutError, ConfigError))
            proxy = None if way is None else way.proxy
            raise NoReply(self._words(address.url, error, proxy), reached=not away) from None

    def _way_to(self, address: Address) -> _Way:
        """Raises `ConfigError`."""
        if self._way is not None and self._way[0] is address:
            return self._way[1]
        proxy = proxy_for(address.url, self._settings, self._named("proxy"), os.environ)
        way = _Way(_with_query(address), proxy)
        self._way = address, way
        return way

    async def _read(self, response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
        """The whole body, however it was cut on the way; and whether it is whole."""
        content = response.content
        pieces = [await content.readany()]
        size = len(pieces[0])
        while size <= self._max_bytes and not content.at_eof():
            pieces.append(await content.readany())
            size += len(pieces[-1])
        body = b"".join(pieces)
        return body[: self._max_bytes], size <= self._max_bytes

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
                connector=aiohttp.TCPConnector(limit=self._connections),
            )
        return self._session

    def _named(self, key: str) -> str:
        """What an operator calls this setting."""
        return f"{self._prefix}{key if self._prefix.endswith('.') else key.replace('_', '-')}"

    def _words(self, url: str, error: BaseException, proxy: Proxy | None) -> str:
        """Why there is no answer from this address, and what can be set."""
        host = urlsplit(url).hostname or ""
        reason = _QUERY.sub("?…", str(error))
        if isinstance(error, ConfigError):
            return reason
        if isinstance(error, TimeoutError):
            reason = f"{host} did not answer within {self._timeout_seconds:g} s"
        reason = reason or type(error).__name__
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            reason += f"; an authority of your own is trusted with {self._named('ca_file')}"
        if proxy is not None:
            return f"{reason} (through the proxy {proxy.url} of {proxy.setting})"
        unreached = isinstance(error, (aiohttp.ClientConnectorError, TimeoutError))
        if unreached and host not in _LOCAL:
            variable = f"{urlsplit(url).scheme.upper()}_PROXY"
            return (
                f"{reason} (no proxy is set: {variable} or {self._named('proxy')} would name one)"
            )
        return reason
