"""A way to a server that can be cut and mended."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self


class Pipe:
    """Passes connections to `port` on to a server. Use as an async context manager."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._open = True
        self._silent = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self.cut()
        self._server.close()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def cut(self) -> None:
        """Connections end, and new ones with them."""
        self._open = False
        for task in self._under_way:
            task.cancel()

    def mend(self) -> None:
        self._open = True

    def fall_silent(self) -> None:
        """Connections stay, and new ones are taken, but nothing comes through any more."""
        self._silent.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            if self._open:
                await self._pass_on(reader, writer)
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            self._under_way.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._to)
        with contextlib.closing(there_writer):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(reader, there_writer))
                group.create_task(self._copy(there_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            if self._silent.is_set():
                await asyncio.Event().wait()  # until the task is cancelled
            writer.write(piece)
            await writer.drain()
        writer.close()
