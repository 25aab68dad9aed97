"""Spans of inputs: each HTTP request and Kafka message that brings something, and its commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from opentelemetry.semconv.attributes import (
    error_attributes,
    http_attributes,
    server_attributes,
    url_attributes,
)
from opentelemetry.trace import Span, SpanContext, SpanKind, StatusCode, get_current_span

from pointsman.domain.records import Receipt, Submission
from pointsman.sources.batch import LogMessage
from pointsman.sources.http.lrs.endpoint import current_source
from pointsman.sources.http.routes import HEALTHZ, METRICS, READYZ
from pointsman.sources.kafka.messages import MessageReader
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.store.base import IngestStore
from pointsman.traces.tracer import Tracer, incoming, outgoing

#: asked every few seconds, by who wants no trace of it
_PROBES = frozenset(route.path for route in (HEALTHZ, READYZ, METRICS))
_SERVER_ERROR = 500

#: writes a message with its headers
Write = Callable[[bytes, list[tuple[str, bytes]]], Awaitable[None]]
#: the spans of the messages that are stored together
_messages: ContextVar[tuple[Span, ...]] = ContextVar("messages", default=())


def traced_requests(tracer: Tracer) -> Middleware:
    """Around all that is done for a request."""

    @web.middleware
    async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        route = "" if resource is None else resource.canonical
        if route in _PROBES:
            return await handler(request)
        attributes = {
            http_attributes.HTTP_REQUEST_METHOD: request.method,
            http_attributes.HTTP_ROUTE: route,
            url_attributes.URL_SCHEME: request.scheme,
        }
        parent = incoming(request.headers)
        name = f"{request.method} {route}".rstrip()
        with tracer.span(name, SpanKind.SERVER, attributes, parent=parent) as span:
            response = await handler(request)
            span.set_attribute(http_attributes.HTTP_RESPONSE_STATUS_CODE, response.status)
            if source := current_source.get():
                span.set_attribute("pointsman.source", source)
            if response.status >= _SERVER_ERROR:
                span.set_attribute(error_attributes.ERROR_TYPE, str(response.status))
                span.set_status(StatusCode.ERROR)
            return response

    return trace


class TracedStore:
    """An `IngestStore`: a span from handing over to the commit, which others may share."""

    def __init__(self, store: IngestStore, tracer: Tracer) -> None:
        self._store = store
        self._tracer = tracer

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        messages = _messages.get()
        if len(messages) == len(submissions):
            inputs = [message.get_span_context() for message in messages]
        else:
            inputs = [get_current_span().get_span_context()] * len(submissions)
        statements = 0
        for submission, context in zip(submissions, inputs, strict=True):
            statements += len(submission.items)
            if context.is_valid:
                self._tracer.remember((item.statement_id for item in submission.items), context)
        attributes = {
            "pointsman.submissions": len(submissions),
            "pointsman.statements": statements,
        }
        links: Iterable[SpanContext] = inputs if messages else ()
        with self._tracer.span("commit", SpanKind.INTERNAL, attributes, links=links) as span:
            receipts = await self._store.ingest(submissions)
            span.set_attribute(
                "pointsman.duplicates", sum(receipt.duplicates for receipt in receipts)
            )
            return receipts


class TracedReader:
    """A `MessageReader`: a span for each message, in the trace that its header names."""

    def __init__(
        self, reader: MessageReader, settings: KafkaSourceSettings, tracer: Tracer
    ) -> None:
        self._reader = reader
        self._settings = settings
        self._tracer = tracer
        self.prepare = reader.prepare
        #: trace contexts of messages that are not stored yet, by topic, partition and offset
        self._headers: dict[tuple[str, int, int], Mapping[str, str]] = {}

    def read_messages(self, messages: Sequence[LogMessage]) -> list[Submission]:
        """A submission for each, for each has a span of its own."""
        return [self._read(message) for message in messages]

    def _read(self, message: LogMessage) -> Submission:
        (submission,) = self._reader.read_messages([message])
        if message.trace_headers and (place := _place(submission)) is not None:
            self._headers[place] = message.trace_headers
        return submission

    @property
    def ingest(self) -> Callable[[Sequence[Submission]], Awaitable[Sequence[Receipt]]]:
        return self._ingest

    async def _ingest(self, submissions: Sequence[Submission]) -> Sequence[Receipt]:
        if not any(submission.items or submission.dead for submission in submissions):
            return await self._reader.ingest(submissions)  # places alone
        spans = tuple(self._begin(submission) for submission in submissions)
        token = _messages.set(spans)
        try:
            receipts = await self._reader.ingest(submissions)
        except BaseException as error:
            for span in spans:
                span.set_attribute(error_attributes.ERROR_TYPE, type(error).__name__)
                span.set_status(StatusCode.ERROR)
            raise
        else:
            # what failed is tried again, and is in its trace still
            for submission in submissions:
                if (place := _place(submission)) is not None:
                    self._headers.pop(place, None)
            return receipts
        finally:
            _messages.reset(token)
            for span in spans:
                span.end()

    def _begin(self, submission: Submission) -> Span:
        """As OpenTelemetry's semantic conventions for messaging and Kafka have it."""
        place = _place(submission)
        topic, partition, after = place or (self._settings.topics[0], 0, 0)
        attributes = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": topic,
            "messaging.destination.partition.id": str(partition),
            "messaging.consumer.group.name": self._settings.group_id,
            "messaging.message.body.size": len(submission.body),
            "messaging.kafka.offset": after - 1,
            "pointsman.source": submission.source,
        }
        headers = self._headers.get(place, {}) if place is not None else {}
        return self._tracer.begin(
            f"process {topic}", SpanKind.CONSUMER, attributes, incoming(headers)
        )


def _place(submission: Submission) -> tuple[str, int, int] | None:
    at = submission.position
    return None if at is None else (at.topic, at.partition, at.offset)


def traced_write(write: Write, topic: str, servers: Sequence[str], tracer: Tracer) -> Write:
    """The message carries the trace on."""
    host, _, _ = servers[0].rpartition(":")
    attributes = {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
        server_attributes.SERVER_ADDRESS: host or servers[0],
    }

    async def write_traced(body: bytes, headers: list[tuple[str, bytes]]) -> None:
        with tracer.span(f"send {topic}", SpanKind.PRODUCER, attributes):
            trace = [(name, value.encode()) for name, value in outgoing().items()]
            await write(body, [*headers, *trace])

    return write_traced
