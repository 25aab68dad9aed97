"""One request of xAPI, however it was written: as it is, or in the alternate request syntax.

The alternate syntax (1.0.3 Part 3 section 1.3) is a POST with `?method=` and a form, which has the
parameters, some headers, and the body as `content`. Browsers of long ago needed it, and players
still use it where an address would get too long.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

from pointsman.domain.launch import Launch
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.lrs.parameters import Parameters, pairs, unique
from pointsman.sources.http.lrs.resources import Resource
from pointsman.statements import media_type

_FORM = "application/x-www-form-urlencoded"
_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "HEAD"})
#: what a form may have in place of headers
_HEADERS = frozenset(
    {
        "authorization",
        "x-experience-api-version",
        "content-type",
        "content-length",
        "content-encoding",
        "if-match",
        "if-none-match",
        "accept",
        "accept-language",
        "accept-encoding",
    }
)


@dataclass(frozen=True, slots=True)
class RawRequest:
    """What a request says, before anything of it was judged."""

    method: str
    given: Mapping[str, str]
    headers: Mapping[str, str]
    #: reads the body, where one was sent
    body: Callable[[], Awaitable[bytes]]
    alternate: bool = False


@dataclass(frozen=True, slots=True)
class LrsRequest:
    """A request that was let in: who sends, in which version, with which parameters."""

    resource: Resource
    method: str
    source: str
    version: str
    parameters: Parameters
    headers: Mapping[str, str]
    body: Callable[[], Awaitable[bytes]]
    #: whether the source may do what xAPI would have refused
    lenient: bool = False
    alternate: bool = False
    #: the one whose credential was shown; without, the source speaks for everybody
    launch: Launch | None = None

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")


def raw_query(request: web.Request) -> str:
    """As it came: what is broken in it must not be mended."""
    return request.raw_path.partition("?")[2].partition("#")[0]


def is_alternate(request: web.Request) -> bool:
    return "method" in request.query


def plain(request: web.Request, body: Callable[[], Awaitable[bytes]]) -> RawRequest:
    return RawRequest(request.method, unique(pairs(raw_query(request))), request.headers, body)


async def alternate(request: web.Request, body: Callable[[], Awaitable[bytes]]) -> RawRequest:
    """Raises `RequestRefused`."""
    query = unique(pairs(raw_query(request)))
    method = query.pop("method", "")
    if request.method != "POST" or method not in _METHODS:
        raise RequestRefused(400, "?method= is for POST, and one of GET, PUT, POST, DELETE, HEAD")
    if media_type(request.headers.get("Content-Type", "")) != _FORM:
        raise RequestRefused(400, f"a request with ?method= must be a form ({_FORM})")
    if query:
        raise RequestRefused(400, "a request with ?method= has all other parameters in its form")
    try:
        form = unique(pairs((await body()).decode()))
    except UnicodeDecodeError:
        raise RequestRefused(400, "the form is not UTF-8") from None
    content = form.pop("content", None)
    if method in {"PUT", "POST"} and content is None:
        raise RequestRefused(400, "the form of a PUT or POST must have the body as content")
    headers: CIMultiDict[str] = CIMultiDict(request.headers)
    headers.pop("Content-Type", None)
    for name in [name for name in form if name.lower() in _HEADERS]:
        value = form.pop(name)
        if not value.isprintable():
            raise RequestRefused(400, f"{name} in the form has characters that no header has")
        headers[name] = value

    async def read() -> bytes:
        return (content or "").encode()

    return RawRequest(method, form, headers, read, alternate=True)
