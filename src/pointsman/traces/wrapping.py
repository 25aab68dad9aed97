"""Wraps the daemon's parts in spans: the `Traces` of wiring, when they are on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from pointsman.delivery.sender import Sender
from pointsman.sources.kafka.messages import MessageReader
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.store.base import IngestStore
from pointsman.telemetry.settings import TracesSettings
from pointsman.traces.deliveries import TracedSender, TracedTransport, Transport
from pointsman.traces.inputs import (
    TracedReader,
    TracedStore,
    Write,
    traced_requests,
    traced_write,
)
from pointsman.traces.tracer import Tracer


class Wrapping:
    """One tracer for all parts."""

    def __init__(self, settings: TracesSettings) -> None:
        self._tracer = Tracer(settings)

    def app(self, app: web.Application) -> web.Application:
        app.middlewares.insert(0, traced_requests(self._tracer))
        return app

    def store(self, store: IngestStore) -> IngestStore:
        return TracedStore(store, self._tracer)

    def reader(self, reader: MessageReader, settings: KafkaSourceSettings) -> MessageReader:
        return TracedReader(reader, settings, self._tracer)

    def write(self, write: Write, topic: str, servers: Sequence[str]) -> Write:
        return traced_write(write, topic, servers, self._tracer)

    def transport(self, transport: Transport, url: str) -> Transport:
        return TracedTransport(transport, url, self._tracer)

    def sender(self, *parts: Any, **settings: Any) -> Sender:
        return TracedSender(self._tracer, *parts, **settings)

    async def close(self) -> None:
        """What is left goes to who takes the spans, for some seconds at most."""
        await asyncio.to_thread(self._tracer.close)
