"""Reads the body of a request: no further than it may go, and not for longer than it may take.

How far it may go depends on who sends it: 64 KB until that is known, then as its source's settings
say. All bodies of the process together are held to a budget, so that no crowd fills the memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import ClientError, hdrs, web
from aiohttp.http_exceptions import BadHttpMessage

from pointsman.sources.http.errors import RETRY_AFTER, RequestRefused

#: bytes of a body whose sender is not known yet
UNKNOWN_BYTES = 65_536
#: of the budget, for bodies whose senders are not known yet
_SHARE_OF_UNKNOWN = 4
#: of those, what any address may have all of, so that a proxy's address has enough
_FREE_FOR_ALL = 2
#: above that an address has at most this part of what is left, so that each more of a crowd gets
#: less, and something is left for who comes next
_PART_OF_ADDRESS = 16


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """`bytes` of one body; `seconds` for all of it to come in."""

    bytes: int
    seconds: float

    def at_most(self, most: int | None) -> BodyLimits:
        """The same, or fewer bytes."""
        return self if most is None or most >= self.bytes else BodyLimits(most, self.seconds)


class BytesInFlight:
    """The bytes of all bodies that are being read or dealt with, of at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._most_of_unknown = most // _SHARE_OF_UNKNOWN
        self._held = self._held_of_unknown = 0
        #: of senders that are not known yet, by address
        self._held_of: dict[str, int] = {}

    def __len__(self) -> int:
        return self._held

    def add(self, count: int, address: str | None = None) -> None:
        """`address` is that of a sender who is not known yet.

        Raises `RequestRefused` where there is no room.
        """
        if self._held + count > self._most:
            raise _busy("this daemon is busy with more bytes than it takes at once")
        if address is not None:
            free = self._most_of_unknown - self._held_of_unknown
            held = self._held_of.get(address, 0) + count
            is_scarce = free - count < self._most_of_unknown // _FREE_FOR_ALL
            if count > free or (count and is_scarce and held > free // _PART_OF_ADDRESS):
                raise _busy(
                    "this daemon is busy with more bytes of senders it does not know yet, or of "
                    "this address, than it takes at once"
                )
            self._held_of_unknown += count
            self._held_of[address] = held
        self._held += count

    def remove(self, count: int, address: str | None = None) -> None:
        self._held -= count
        if address is not None:
            self._held_of_unknown -= count
            held = self._held_of.pop(address, 0) - count
            if held > 0:
                self._held_of[address] = held


class HeldBytes:
    """What one request has of the budget, from the first byte of its body to its answer."""

    __slots__ = ("_address", "_budget", "_count", "_find_address", "_unknown")

    def __init__(self, budget: BytesInFlight, find_address: Callable[[], str]) -> None:
        """`find_address` is asked for a sender that is not known only."""
        self._budget = budget
        self._find_address = find_address
        self._address: str | None = None
        self._count = 0
        self._unknown = True

    def add(self, count: int) -> None:
        """Raises `RequestRefused`."""
        if self._unknown and self._address is None:
            self._address = self._find_address()
        self._budget.add(count, self._address)
        self._count += count

    def sender_is_known(self) -> None:
        if not self._count:
            self._unknown, self._address = False, None
        elif self._unknown:
            self._budget.remove(self._count, self._address)
            self._unknown, self._address = False, None
            self._budget.add(self._count)

    def release(self) -> None:
        self._budget.remove(self._count, self._address)
        self._count = 0


#: where a request keeps its part of the budget
HELD = web.RequestKey("held_bytes", HeldBytes)


class RequestBody:
    """A body that is read in steps, as far as its sender is known. Raises `RequestRefused`."""

    def __init__(self, request: web.Request, seconds: float) -> None:
        self._request = request
        self._seconds = seconds
        self._until = asyncio.get_running_loop().time() + seconds
        self._chunks: list[bytes] = []
        self._size = 0
        #: nothing more is to come
        self.is_whole = False

    async def start(self, most: int) -> bytes:
        """Its first `most` bytes and one more, or all of it, while nobody knows who sends."""
        await self._read(most)
        return b"".join(self._chunks)

    async def rest(self, most: int, *, known: bool = True) -> bytes:
        """All of it: 413, 408, 415, 417, 503, or 400 when it ends early."""
        held = self._request.get(HELD)
        if known and held is not None:
            held.sender_is_known()
        length = self._request.content_length
        if self._size > most or (length is not None and length > most):
            raise _too_large(most)
        await self._read(most)
        if not self.is_whole:
            raise _too_large(most)
        return b"".join(self._chunks)

    async def _read(self, most: int) -> None:
        """Read until more than `most` bytes are there, or all."""
        if not self._chunks and not self.is_whole:
            await self._invite()
        held = self._request.get(HELD)
        try:
            async with asyncio.timeout_at(self._until):
                while not self.is_whole and self._size <= most:
                    chunk = await self._request.content.read(most + 1 - self._size)
                    if not chunk:
                        self.is_whole = True
                        break
                    self._add(chunk, held)
        except TimeoutError as error:
            raise RequestRefused(
                408, f"the body did not come within {self._seconds:g} seconds", close=True
            ) from error
        except (ConnectionError, ClientError, BadHttpMessage, web.RequestPayloadError) as error:
            raise RequestRefused(
                400, "the body could not be read to its end", close=True
            ) from error

    def _add(self, chunk: bytes, held: HeldBytes | None) -> None:
        if held is not None:
            held.add(len(chunk))
        self._size += len(chunk)
        self._chunks.append(chunk)

    async def _invite(self) -> None:
        encoding = self._request.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding != "identity":
            raise RequestRefused(
                415, "a body must come without Content-Encoding; nothing was stored"
            )
        expected = self._request.headers.get("Expect")
        if expected is None:
            return
        if expected.strip().lower() != "100-continue":
            raise RequestRefused(417, "Expect can only be 100-continue")
        await self._request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # As aiohttp's own handler does: these bytes are not part of the answer.
        self._request.writer.output_size = 0


async def read_body(request: web.Request, limits: BodyLimits, *, known: bool = True) -> bytes:
    """All of the body. Raises `RequestRefused`: 413, 408, 415, 417, 503, or 400 when it ends early.

    Not `known` is a sender that only the body makes known.
    """
    body = _what_came(request, limits.bytes, known=known)
    if body is not None:
        return body
    return await RequestBody(request, limits.seconds).rest(limits.bytes, known=known)


def _what_came(request: web.Request, most: int, *, known: bool) -> bytes | None:
    """A body that is whole before anybody waits for it, as most small ones are; else None.

    Only one whose size is known, so that no more is taken than there is room for.
    """
    content, headers = request.content, request.headers
    if (
        not content.is_eof()
        or content.exception() is not None
        or not (length := headers.get(hdrs.CONTENT_LENGTH, ""))
        or int(length) > most
        or hdrs.CONTENT_ENCODING in headers
        or hdrs.EXPECT in headers
    ):
        return None
    body = content.read_nowait()
    if (held := request.get(HELD)) is not None:
        if known:
            held.sender_is_known()
        held.add(len(body))
    return body


def _busy(why: str) -> RequestRefused:
    return RequestRefused(
        503, f"{why}; nothing was stored", headers={"Retry-After": RETRY_AFTER}, close=True
    )


def _too_large(most: int) -> RequestRefused:
    return RequestRefused(413, f"a body may have {most} bytes; nothing was stored", close=True)
