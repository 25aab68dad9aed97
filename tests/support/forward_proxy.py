"""A forward proxy: CONNECT for https, and whole addresses for http (RFC 9110 9.3.6, 9112 3.2.2)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.support.raw_server import raw_server


class ForwardProxy:
    """`hosts` leads names, which need not exist, to ports of this machine."""

    def __init__(self, hosts: Mapping[str, int], credentials: str | None = None) -> None:
        self._hosts = hosts
        self._credentials = credentials
        self.asked: list[str] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b" ", 2)
        self.asked.append(f"{method.decode()} {target.decode()}")
        shown = base64.b64encode((self._credentials or "").encode())
        if self._credentials and b"Proxy-Authorization: Basic " + shown not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        is_tunnel = method == b"CONNECT"
        host = urlsplit(f"//{target.decode()}" if is_tunnel else target.decode()).hostname
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._hosts[host or ""])
        if is_tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            up_writer.write(head)
        try:
            await asyncio.gather(_pipe(reader, up_writer), _pipe(up_reader, writer))
        finally:
            up_writer.close()
            with contextlib.suppress(OSError):
                await up_writer.wait_closed()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def forward_proxy(
    hosts: Mapping[str, int], credentials: str | None = None
) -> AsyncIterator[ForwardProxy]:
    """One that listens until the block ends."""
    proxy = ForwardProxy(hosts, credentials)
    async with raw_server(proxy.handle) as port:
        proxy.url = f"http://127.0.0.1:{port}"
        yield proxy
