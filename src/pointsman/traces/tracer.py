"""Makes spans, takes trace contexts from headers and gives them, and knows which input said what.

W3C's Trace Context alone: baggage of strangers goes nowhere.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import structlog
from cachetools import LRUCache
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.textmap import Getter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pointsman import __version__
from pointsman.telemetry.settings import TracesSettings

#: statements whose input is remembered for the delivery of what they say, the newest
_MOST_REMEMBERED = 20_000
#: links of one span
MOST_LINKS = 32
_CONTEXT = TraceContextTextMapPropagator()


class _LowerCase(Getter[Mapping[str, str]]):
    """Headers by name, in whichever case they came."""

    def get(self, carrier: Mapping[str, str], key: str) -> list[str] | None:
        value = carrier.get(key)
        return None if value is None else [value]

    def keys(self, carrier: Mapping[str, str]) -> list[str]:
        return list(carrier)


_GETTER = _LowerCase()


class Tracer:
    """Spans of one daemon. `close` hands out what is left."""

    def __init__(self, settings: TracesSettings, exporter: SpanExporter | None = None) -> None:
        self._provider = TracerProvider(resource=_resource(), sampler=_sampler(settings))
        self._provider.add_span_processor(BatchSpanProcessor(exporter or new_exporter(settings)))
        self._tracer = self._provider.get_tracer("pointsman", __version__)
        self._inputs: LRUCache[str, SpanContext] = LRUCache(_MOST_REMEMBERED)

    def span(
        self,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, Any],
        *,
        parent: Context | None = None,
        links: Iterable[SpanContext] = (),
    ) -> AbstractContextManager[Span]:
        """The current span within the block; without a `parent`, below the one that is current."""
        return self._tracer.start_as_current_span(
            name,
            parent,
            kind=kind,
            attributes=dict(attributes),
            links=[Link(context) for context in links][:MOST_LINKS],
            # what went wrong is told in attributes; a traceback could hold what learners said
            record_exception=False,
        )

    def begin(
        self, name: str, kind: SpanKind, attributes: Mapping[str, Any], parent: Context
    ) -> Span:
        """A span that is not the current one; `end` it."""
        return self._tracer.start_span(name, parent, kind=kind, attributes=dict(attributes))

    def remember(self, statement_ids: Iterable[str], context: SpanContext) -> None:
        """These statements came with this input."""
        for statement_id in statement_ids:
            self._inputs[statement_id] = context

    def inputs_of(self, statement_ids: Sequence[str]) -> list[SpanContext]:
        """The inputs that are remembered of these statements, each once."""
        contexts = (self._inputs.get(statement_id) for statement_id in statement_ids)
        known = {context.span_id: context for context in contexts if context is not None}
        return list(known.values())[:MOST_LINKS]

    def close(self) -> None:
        """In a thread: it waits for who takes the spans."""
        self._provider.shutdown()


def incoming(headers: Mapping[str, str]) -> Context:
    """The trace that the sender is in, or none."""
    return _CONTEXT.extract(headers, Context(), _GETTER)


def outgoing() -> dict[str, str]:
    """Headers that name the current span."""
    headers: dict[str, str] = {}
    _CONTEXT.inject(headers)
    return headers


def add_trace_ids(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A processor of the log: the ids of the span that the line was written in."""
    context = get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
        event["span_id"] = format(context.span_id, "016x")
    return event


def new_exporter(settings: TracesSettings) -> SpanExporter:
    """OTLP over HTTP, to where the settings or OTEL_EXPORTER_OTLP_… say."""
    return OTLPSpanExporter(endpoint=settings.endpoint)


def _sampler(settings: TracesSettings) -> Sampler | None:
    """None lets OTEL_TRACES_SAMPLER choose."""
    if settings.sample == 1:
        return None
    return ParentBased(TraceIdRatioBased(settings.sample))


def _resource() -> Resource:
    attributes = {
        SERVICE_VERSION: __version__,
        SERVICE_INSTANCE_ID: f"{socket.gethostname()}/{os.getpid()}",
    }
    if "OTEL_SERVICE_NAME" not in os.environ:
        attributes[SERVICE_NAME] = "pointsman"
    return Resource.create(attributes)
