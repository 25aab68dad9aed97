"""The answers to what never became a request, and the log line of a connection that failed.

Nothing of what was sent is in them: a credential may stand where it is malformed.
"""

from __future__ import annotations

import asyncio
import json
import traceback
import uuid
from http import HTTPStatus

import structlog
from aiohttp import http_exceptions

from pointsman.sources.http.errors import RETRY_AFTER

log = structlog.get_logger(__name__)

#: what the parser says of a request, in words that hold nothing of it
_MALFORMED: dict[type[Exception], tuple[int, str]] = {
    http_exceptions.LineTooLong: (431, "the request line or a header is too long"),
    http_exceptions.InvalidHeader: (400, "a header is malformed"),
    http_exceptions.BadStatusLine: (400, "the request line is malformed"),
    http_exceptions.InvalidURLError: (400, "the address in the request line is malformed"),
    http_exceptions.TransferEncodingError: (400, "the body is not chunked as its header says"),
    http_exceptions.ContentLengthError: (400, "the body is not as long as its header says"),
}
#: what begins a connection in another protocol, as the parser shows it; which, and what to do
_OTHER_PROTOCOLS = {
    "HTTPS traffic": "this is TLS, and this port speaks plain HTTP: TLS ends at the proxy in front",
    "b'PROXY ": "this is the PROXY protocol, which is not spoken here: turn it off at the proxy or "
    "load balancer (send-proxy), and name that in http.trusted_proxies",
    # of version 2 the parser shows the first byte behind its empty lines
    "b'\\x00'": "this may be the PROXY protocol (version 2), which is not spoken here: turn it off "
    "at the proxy or load balancer (send-proxy-v2), and name that in http.trusted_proxies",
}
_NO_HTTP = (400, "this is no HTTP request that can be understood")


def end_connection(transport: asyncio.BaseTransport, status: int, reason: str) -> None:
    """Answer where there is no request that could be answered, and close."""
    if not isinstance(transport, asyncio.WriteTransport):
        return
    body = json.dumps({"error": {"status": status, "reason": reason, "problems": []}}).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nServer: pointsman\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Retry-After: {RETRY_AFTER}\r\nConnection: close\r\n\r\n"
    )
    transport.write(head.encode() + body)
    transport.close()


def malformed(error: http_exceptions.HttpProcessingError) -> tuple[int, str]:
    """Status and reason. A proxy that speaks something else is told of, for all fails then."""
    if isinstance(error, http_exceptions.BadStatusLine):
        for shown, reason in _OTHER_PROTOCOLS.items():
            if shown in error.message:
                return 400, reason
    return next(
        (answer for kind, answer in _MALFORMED.items() if isinstance(error, kind)), _NO_HTTP
    )


def log_fault(error: BaseException | None) -> str:
    """A fault of ours: where it was, and no value, for the request may be in its message."""
    error_id = str(uuid.uuid4())
    log.error(
        "a connection failed for a reason of ours",
        error_id=error_id,
        kind=type(error).__name__,
        where="".join(traceback.format_tb(error.__traceback__)) if error is not None else "",
        next="report it with this line; the sender was told the error_id",
    )
    return error_id
