"""What never became a request is answered with the reason that helps, and nothing of what came."""

from __future__ import annotations

import asyncio
from unittest import mock

import pytest
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser

from pointsman.sources.http.connection_answers import malformed

GET = b"GET /healthz HTTP/1.1\r\nHost: secret-name\r\n\r\n"


@pytest.mark.parametrize(
    ("began", "words"),
    [
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n" + GET, "PROXY protocol"),
        (b"PROXY UNKNOWN\r\n" + GET, "name that in http.trusted_proxies"),
        (
            b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(range(12)) + GET,
            "may be the PROXY protocol (version 2)",
        ),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40), "this is TLS"),
        (b"GETT\x00 / HTTP/1.1\r\n\r\n", "the request line is malformed"),
        (b"hello\r\n\r\n", "the request line is malformed"),
    ],
)
async def test_another_protocol_is_named(began: bytes, words: str) -> None:
    """A load balancer that begins so makes every request fail, its health checks too."""
    parser = HttpRequestParser(mock.Mock(), asyncio.get_running_loop(), 2**16)
    with pytest.raises(HttpProcessingError) as refused:
        parser.feed_data(began)
    status, reason = malformed(refused.value)
    assert status == 400
    assert words in reason
    assert not any(part in reason for part in ("192.0.2", "secret-name", "hello"))
