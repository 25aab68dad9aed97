"""Spans of deliveries, linked to the inputs that they carry, and of requests to the platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from opentelemetry.context import Context, attach
from opentelemetry.semconv.attributes import (
    error_attributes,
    http_attributes,
    server_attributes,
    url_attributes,
)
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

from pointsman.delivery.sender import Sender
from pointsman.delivery.turn_outcome import DeliveryOutcome
from pointsman.domain.targets import Recipient
from pointsman.outgoing.client import HttpReply
from pointsman.platforms.base import RequestOutcome
from pointsman.store.base import Lease
from pointsman.telemetry.logs import LEARNER_HASHES
from pointsman.traces.tracer import Tracer, outgoing

_ERROR = 400
_GOOD = frozenset({RequestOutcome.ANSWERED.value, ""})


class TracedSender(Sender):
    """A trace of its own for each lease: it carries what many inputs said."""

    def __init__(self, tracer: Tracer, *parts: Any, **settings: Any) -> None:
        super().__init__(*parts, **settings)
        self._tracer = tracer

    async def deliver(self, lease: Lease, *, give_up_at: float) -> DeliveryOutcome:
        statements = [row.statement_id for row in lease.desired if not row.parked]
        attributes = {
            "pointsman.learner": _name_of(lease.recipient),
            "pointsman.targets": len(statements),
        }
        with self._tracer.span(
            "deliver",
            SpanKind.INTERNAL,
            attributes,
            parent=Context(),
            links=self._tracer.inputs_of(statements),
        ) as span:
            outcome = await super().deliver(lease, give_up_at=give_up_at)
            answer = str(outcome.answer or "")
            span.set_attribute("pointsman.answer", answer)
            span.set_attribute("pointsman.requests", outcome.requests)
            span.set_attribute("pointsman.points", outcome.points)
            if answer not in _GOOD or outcome.faults:
                span.set_status(StatusCode.ERROR)
        # what the task still does with it, and logs, is of this trace
        attach(set_span_in_context(span, Context()))
        return outcome


def _name_of(recipient: Recipient) -> str:
    """As the log has it: a meeting's id, and of a learner a hash."""
    name = str(recipient)
    return name if recipient.is_meeting else LEARNER_HASHES.text(name, [name])


class Transport(Protocol):
    """One POST to the platform."""

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpReply: ...

    async def close(self) -> None: ...


class TracedTransport:
    """A `Transport`: the platform is told the trace. The key is in no attribute."""

    def __init__(self, transport: Transport, url: str, tracer: Tracer) -> None:
        self._transport = transport
        self._tracer = tracer
        parts = urlsplit(url)
        self._attributes = {
            http_attributes.HTTP_REQUEST_METHOD: "POST",
            server_attributes.SERVER_ADDRESS: parts.hostname or "",
            server_attributes.SERVER_PORT: parts.port or (443 if parts.scheme == "https" else 80),
            url_attributes.URL_FULL: parts._replace(query="").geturl(),
        }
        self.close = transport.close

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpReply:
        with self._tracer.span("POST", SpanKind.CLIENT, self._attributes) as span:
            try:
                reply = await self._transport.post({**headers, **outgoing()}, body)
            except BaseException as error:
                span.set_attribute(error_attributes.ERROR_TYPE, type(error).__name__)
                raise
            span.set_attribute(http_attributes.HTTP_RESPONSE_STATUS_CODE, reply.status)
            if reply.status >= _ERROR:
                span.set_attribute(error_attributes.ERROR_TYPE, str(reply.status))
                span.set_status(StatusCode.ERROR)
            return reply
