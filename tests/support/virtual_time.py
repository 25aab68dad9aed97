"""The emulator in virtual time, without its socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pointsman.domain.errors import PlatformUnreachable
from pointsman.emulator import Emulator
from pointsman.platforms.helium import HttpAnswer
from pointsman.simulation.virtual_time import EPOCH, VirtualClock, VirtualLoop, run_virtually

__all__ = ["EPOCH", "EmulatorTransport", "VirtualClock", "VirtualLoop", "run_virtually"]


class EmulatorTransport:
    """The real emulator without its socket. `latency` seconds pass each way."""

    def __init__(self, emulator: Emulator, api_key: str, latency: float = 0.02) -> None:
        self.emulator = emulator
        self.statuses: list[int] = []
        self._api_key = api_key
        self._latency = latency

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        await asyncio.sleep(self._latency)
        reply = await self.emulator.handle(
            query={"apiKey": self._api_key}, headers=headers, body=body
        )
        await asyncio.sleep(self._latency)
        self.statuses.append(reply.status)
        if reply.dropped:
            raise PlatformUnreachable("the connection was dropped")
        return HttpAnswer(reply.status, reply.headers, reply.body)

    async def close(self) -> None:
        pass
