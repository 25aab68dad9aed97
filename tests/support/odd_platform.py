"""A platform that answers oddly for a while, and then is well: the emulator behind a bad day."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import orjson

from pointsman.domain.errors import PlatformUnreachable
from pointsman.emulator import Emulator
from pointsman.platforms.helium import HttpAnswer
from tests.support.virtual_time import EPOCH, EmulatorTransport

_ALIAS = re.compile(rb"\bm(\d+): ")
#: what the aliases of a request make of a body
Shape = Callable[[Sequence[str]], bytes]


@dataclass(frozen=True, slots=True)
class OddAnswer:
    """One way to answer. `delay` in seconds; `cut` ends the connection before or after it ran."""

    name: str
    status: int
    shape: Shape
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    cut: str = ""

    @property
    def asked_pause(self) -> float:
        """For how long it asks to be left alone after the last answer, seconds."""
        seconds = [
            float(value)
            for name, value in self.headers
            if name == "Retry-After" and value.isdigit() and float(value) <= 60
        ]
        return max(seconds, default=0.0)


class OddTransport(EmulatorTransport):
    """Answers as `odd` says until `well_at` on the loop's clock."""

    def __init__(
        self, emulator: Emulator, api_key: str, odd: Callable[[int], OddAnswer], well_at: float
    ) -> None:
        super().__init__(emulator, api_key)
        self._odd = odd
        self._well_at = well_at
        #: requests that met a bad day
        self.odd_requests = 0

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        if asyncio.get_running_loop().time() >= self._well_at:
            return await super().post(headers, body)
        odd = self._odd(self.odd_requests)
        self.odd_requests += 1
        await asyncio.sleep(0.02 + odd.delay)
        if odd.cut == "after":
            await super().post(headers, body)
        if odd.cut:
            raise PlatformUnreachable("the connection was cut")
        count = len(set(_ALIAS.findall(body)))
        return HttpAnswer(
            odd.status, Headers(odd.headers), odd.shape([f"m{n}" for n in range(count)])
        )


class Headers(dict[str, str]):
    """Names without regard to case, as the daemon's own client gives them."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__((name.lower(), value) for name, value in pairs)

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def raw(body: bytes) -> Shape:
    return lambda _aliases: body


def fixed(payload: object) -> Shape:
    return raw(orjson.dumps(payload))


def error(code: object = None, *, path: object = None, **fields: object) -> dict[str, Any]:
    made: dict[str, Any] = {"message": "trouble, report 1", **fields}
    if code is not None:
        made["extensions"] = {"code": code}
    if path is not None:
        made["path"] = path
    return made


def all_true(aliases: Sequence[str], **more: object) -> bytes:
    """The lie of a proxy that answers for the platform can't be told from the truth."""
    return orjson.dumps({"data": dict.fromkeys(aliases, True), **more})


def _each(**fields: object) -> Shape:
    """Every alias has an error of its own."""

    def shape(aliases: Sequence[str]) -> bytes:
        errors = [error(path=[alias], **fields) for alias in aliases]
        return orjson.dumps({"data": dict.fromkeys(aliases), "errors": errors or [error()]})

    return shape


def _of_value(value: object, **more: object) -> Shape:
    return lambda aliases: orjson.dumps({"data": dict.fromkeys(aliases, value), **more})


#: what comes in a body, by its name
SHAPES: dict[str, Shape] = {
    "nothing": raw(b""),
    "html": raw(b"<html><body>Bad gateway</body></html>"),
    "garbage": raw(b"\x1f\x8b\x08\x00garbage\xff\xfe"),
    "gzip": raw(gzip.compress(b'{"data": null}', mtime=0)),
    "cut json": raw(b'{"data": {"m0": tr'),
    "ndjson": raw(b'{"data": {}}\n{"data": {}}\n'),
    "null": raw(b"null"),
    "array": raw(b'[{"data": {"m0": true}}]'),
    "number": raw(b"42"),
    "deep": raw(b"[" * 5_000),
    "huge": raw(b'{"message": "' + b"x" * 200_000 + b'"}'),
    "mark": raw(b'\xef\xbb\xbf{"errors": [{"message": "down"}]}'),
    "message": fixed({"message": "Service temporarily unavailable"}),
    "data null": fixed({"data": None}),
    "data empty": fixed({"data": {}}),
    "errors a map": fixed({"errors": {"message": "down"}}),
    "errors words": fixed({"errors": ["down"], "data": None}),
    "errors empty": fixed({"errors": []}),
    "errors null": fixed({"errors": None, "data": None}),
    "no code": fixed({"errors": [error()], "data": None}),
    "no data": fixed({"errors": [error()]}),
    "code a number": fixed({"errors": [error(500)], "data": None}),
    "internal": fixed({"errors": [error("INTERNAL_SERVER_ERROR")], "data": None}),
    "maintenance": fixed({"errors": [error("MAINTENANCE")]}),
    "not found": fixed({"errors": [error("NOT_FOUND")], "data": None}),
    "forbidden": fixed({"errors": [error("FORBIDDEN")], "data": None}),
    "throttled": fixed({"errors": [error("THROTTLED")], "data": None}),
    "rate type": fixed({"errors": [error(type="RATE_LIMITED")]}),
    "token": fixed({"errors": [error("UNAUTHENTICATED")], "data": None}),
    "validation": fixed({"errors": [error("GRAPHQL_VALIDATION_FAILED")]}),
    "bad input": fixed({"errors": [error("BAD_USER_INPUT")], "data": None}),
    "persisted": fixed({"errors": [error("PERSISTED_QUERY_NOT_FOUND")]}),
    "unknown alias": fixed({"errors": [error("NOT_FOUND", path=["m99"])], "data": None}),
    "first passing": fixed({"errors": [error("SERVICE_UNAVAILABLE", path=["m0"])], "data": None}),
    "first refused": fixed({"errors": [error("NOT_FOUND", path=["m0"])], "data": None}),
    "first nested": fixed({"errors": [error("NEW", path=["m0", "x", 0])], "data": None}),
    "first throttled": fixed({"errors": [error("THROTTLED", path=["m0"])], "data": None}),
    "each passing": _each(code="INTERNAL_SERVER_ERROR"),
    "each refused": _each(code="FORBIDDEN"),
    "each false": _of_value(value=False),
    "each null": _of_value(None),
    "each a word": _of_value("true"),
    "null and trouble": _of_value(None, errors=[error()]),
    "false and trouble": _of_value(value=False, errors=[error()]),
}
STATUSES = (200, 204, 301, 400, 401, 403, 404, 413, 414, 429, 431, 500, 503, 504)
_CONTENT_TYPES = ("application/json", "text/html", "", "application/graphql-response+json")
_HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("Retry-After", "3"),),
    (("Retry-After", "0"),),
    (("Retry-After", "-1"),),
    (("Retry-After", "1000000000000"),),
    (("Retry-After", "soon"),),
    (("Retry-After", "20"),),
    (("Retry-After", formatdate(EPOCH - 60, usegmt=True)),),
    (("Retry-After", formatdate(EPOCH + 15, usegmt=True)),),
    (("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "12")),
    (("X-RateLimit-Remaining", "nan"), ("X-RateLimit-Reset", "-5")),
    (("X-RateLimit-Remaining", "-3"),),
    (("Content-Encoding", "br"), ("Location", "https://elsewhere.example.com/")),
)
_DELAYS = (0.0, 0.0, 0.5, 0.0, 4.0)
_CUTS = ("", "", "", "", "before", "", "", "after")


def odd_answers() -> dict[str, list[OddAnswer]]:
    """For each shape an answer of each status; types, headers, delays and cuts take turns."""
    turns = zip(
        itertools.cycle(_CONTENT_TYPES),
        itertools.cycle(_HEADERS),
        itertools.cycle(_DELAYS),
        itertools.cycle(_CUTS),
        strict=False,
    )
    table: dict[str, list[OddAnswer]] = {}
    for name, shape in SHAPES.items():
        for status in STATUSES:
            kind, headers, delay, cut = next(turns)
            pairs = (("Content-Type", kind), *headers)
            answer = OddAnswer(f"{name}, {status}", status, shape, pairs, delay, cut)
            table.setdefault(name, []).append(answer)
    return table
