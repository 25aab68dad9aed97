"""A token service that answers oddly: a table of its answers, and a client that gives them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from multidict import CIMultiDict

from pointsman.outgoing.client import Address, HttpClient, HttpReply, NoReply
from pointsman.outgoing.settings import OutgoingSettings

STATUSES = (
    *(201, 202, 204, 206, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408),
    *(409, 410, 413, 418, 421, 422, 425, 429, 431, 451, 500, 501, 502, 503, 504, 520, 521, 599),
)
#: with HTTP 200
BODIES = (
    *(b"", b" ", b"null", b"true", b"5", b'"TOKEN"', b"[]", b"{}", b"{", b"\xff\xfe", b"\0"),
    *(b'{"authToken": "TOK', b'["TOKEN"]', b"TOKEN", b"<html>maintenance</html>"),
    *(b'{"authToken": %s}' % odd for odd in (b"null", b"5", b"true", b"[]", b"{}", b'""')),
    *(b'{"authToken": "%s"}' % odd for odd in (rb"TO\nKEN", rb"\u0000", rb"\u20ac", b" T", b"T ")),
    *(
        b'{"authToken": "T", "expiresIn": %s}' % odd
        for odd in (b'"soon"', b'"NaN"', b"true", b"[]", b"{}", b"0", b"-1", b"-1e30", b'"-5"')
    ),
    *(b'{"authToken": "T", "userId": %s}' % odd for odd in (b"true", b"[]", b"{}", b"1.5")),
    b'{"token": "TOKEN"}',
    b'{"error": "no such user"}',
    b'{"authToken": "' + b"T" * 10_000 + b'"}',
    b"[" * 60_000,
)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Retry-After": "20"},
    {"Retry-After": "Mon, 05 Jan 2026 00:00:15 GMT"},
    {"Retry-After": "soon"},
    {"Retry-After": "-5"},
)
CONTENT_TYPES = ("application/json", "text/html", "")
DELAYS = (0.02, 3.0)


@dataclass(frozen=True, slots=True)
class Odd:
    """One way to answer; `status` 0 is no answer at all."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.02
    whole: bool = True

    def __str__(self) -> str:
        shown = self.body[:40].decode("latin-1")
        return f"{self.status} {shown!r} {self.headers} {self.delay}s{'' if self.whole else ' cut'}"


def odd_answers() -> Iterator[Odd]:
    """Every status with each header, every body with each type; cut short, late, and none."""
    for status, headers, delay in itertools.product(STATUSES, HEADERS, DELAYS):
        yield Odd(status, b'{"error": "odd"}', headers, delay)
    for body, content_type in itertools.product(BODIES, CONTENT_TYPES):
        yield Odd(200, body, {"Content-Type": content_type})
    for delay in DELAYS:
        yield Odd(200, b'{"authToken": "TOKEN"', delay=delay, whole=False)
        yield Odd(0, delay=delay)


class OddClient(HttpClient):
    """Answers as `answer` says at each moment; counts what it is asked."""

    def __init__(self, answer: Callable[[str], Odd]) -> None:
        super().__init__(OutgoingSettings(), "x.", timeout_seconds=10, max_bytes=65_536)
        self._answer = answer
        self.asked: list[tuple[float, str]] = []

    async def send(self, method: str, url: str | Address, **_: object) -> HttpReply:
        assert isinstance(url, str)
        self.asked.append((asyncio.get_running_loop().time(), url))
        odd = self._answer(url)
        await asyncio.sleep(odd.delay)
        if odd.status == 0:
            raise NoReply("no answer came")
        return HttpReply(odd.status, CIMultiDict(odd.headers), odd.body, odd.whole)
