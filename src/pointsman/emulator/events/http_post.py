"""Sends webhooks over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from pointsman.emulator.events.webhooks import PATIENCE, PostWebhook
from pointsman.outgoing.client import HttpClient, NoReply
from pointsman.outgoing.settings import DIRECT, OutgoingSettings

_CONNECTIONS = 16
_MOST_BYTES = 65_536


@asynccontextmanager
async def http_post() -> AsyncIterator[PostWebhook]:
    """A way to send until the block ends. Endpoints are on this machine, or in this network."""
    client = HttpClient(
        OutgoingSettings(proxy=DIRECT),
        "--",
        timeout_seconds=PATIENCE,
        connections=_CONNECTIONS,
        max_bytes=_MOST_BYTES,
    )

    async def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
        try:
            return (await client.send("POST", url, headers=headers, body=body)).status
        except NoReply as error:
            raise OSError(str(error)) from error

    try:
        yield post
    finally:
        await client.close()
