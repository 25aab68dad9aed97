"""Reads the body of a request: no further than it may go, and not for longer than it may take."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import ClientError, web
from aiohttp.http_exceptions import BadHttpMessage

from pointsman.sources.http.errors import RequestRefused


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """`bytes` of one body; `seconds` for all of it to come in."""

    bytes: int
    seconds: float


async def read_body(request: web.Request, limits: BodyLimits) -> bytes:
    """All of the body. Raises `RequestRefused`: 413, 408, 415, 417, or 400 when it ends early."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding != "identity":
        raise RequestRefused(415, "a body must come without Content-Encoding; nothing was stored")
    length = request.content_length
    if length is not None and length > limits.bytes:
        raise _too_large(limits)
    await _invite(request)
    try:
        async with asyncio.timeout(limits.seconds):
            return await _collect(request, limits)
    except TimeoutError as error:
        raise RequestRefused(
            408, f"the body did not come within {limits.seconds:g} seconds", close=True
        ) from error
    except (ConnectionError, ClientError, BadHttpMessage, web.RequestPayloadError) as error:
        raise RequestRefused(400, "the body could not be read to its end", close=True) from error


async def _invite(request: web.Request) -> None:
    expected = request.headers.get("Expect")
    if expected is None:
        return
    if expected.strip().lower() != "100-continue":
        raise RequestRefused(417, "Expect can only be 100-continue")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    # As aiohttp's own handler does: these bytes are not part of the answer.
    request.writer.output_size = 0


async def _collect(request: web.Request, limits: BodyLimits) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > limits.bytes:
            raise _too_large(limits)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limits: BodyLimits) -> RequestRefused:
    return RequestRefused(
        413, f"a body may have {limits.bytes} bytes; nothing was stored", close=True
    )
