"""Turns [traces] into what wraps parts in spans; without it they stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol

from aiohttp import web

from pointsman.config import Settings
from pointsman.delivery.sender import Sender
from pointsman.domain.errors import ConfigError
from pointsman.platforms.helium.transport import Transport
from pointsman.sources.kafka.messages import MessageReader
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka_forwarder import Write
from pointsman.store.base import IngestStore


class Traces(Protocol):
    """Each method gives what takes the place of its argument."""

    def app(self, app: web.Application) -> web.Application: ...

    def store(self, store: IngestStore) -> IngestStore: ...

    def reader(self, reader: MessageReader, settings: KafkaSourceSettings) -> MessageReader: ...

    def write(self, write: Write, topic: str, servers: Sequence[str]) -> Write: ...

    def transport(self, transport: Transport, url: str) -> Transport: ...

    def sender(self, *parts: Any, **settings: Any) -> Sender: ...

    async def close(self) -> None: ...


class NoTraces:
    """Everything as it is."""

    def app(self, app: web.Application) -> web.Application:
        return app

    def store(self, store: IngestStore) -> IngestStore:
        return store

    def reader(self, reader: MessageReader, _settings: KafkaSourceSettings) -> MessageReader:
        return reader

    def write(self, write: Write, _topic: str, _servers: Sequence[str]) -> Write:
        return write

    def transport(self, transport: Transport, _url: str) -> Transport:
        return transport

    def sender(self, *parts: Any, **settings: Any) -> Sender:
        return Sender(*parts, **settings)

    async def close(self) -> None:
        """Nothing is left to be handed out."""


NO_TRACES = NoTraces()


def traces(settings: Settings) -> Traces:
    """Raises `ConfigError` where they are wanted, and the extra is not installed."""
    if not settings.traces.enabled:
        return NO_TRACES
    made: Traces = _of_extra("pointsman.traces.wrapping", "Wrapping")(settings.traces)
    return made


def log_processors(settings: Settings) -> tuple[Callable[..., Any], ...]:
    """What adds ids of traces to lines of the log."""
    if not settings.traces.enabled:
        return ()
    return (_of_extra("pointsman.traces.tracer", "add_trace_ids"),)


def _of_extra(module: str, name: str) -> Any:
    """Imported only now: without traces nothing of OpenTelemetry is loaded."""
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "opentelemetry":
            raise
        raise ConfigError(
            "traces.enabled: OpenTelemetry is an extra: pip install 'pointsman[otel]'"
        ) from None
