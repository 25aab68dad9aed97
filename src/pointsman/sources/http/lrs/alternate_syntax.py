"""The alternate request syntax of xAPI 1.0.x: a POST with `?method=`, and the request in its form.

1.0.3 Part 3 section 1.3. The form has the parameters, some headers, and the body as `content`.
Players use it where an address would get too long.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from multidict import CIMultiDict

from pointsman.domain.frozen import record
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.lrs.parameters import pairs, raw_query, unique
from pointsman.statements import media_type

FORM = "application/x-www-form-urlencoded"
#: XDomainRequest can set no type, and Storyline 2 sets text/plain
_FORM_OF_OLD_PLAYERS = frozenset({"text/plain", ""})
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


@record
class RawRequest:
    """What a request says, before anything of it was judged."""

    method: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    #: reads the body, where one was sent
    body: Callable[[], Awaitable[bytes]]
    alternate: bool = False
    #: what a strict source is refused for
    fault: str = ""


async def read_alternate(request: web.Request, body: Callable[[], Awaitable[bytes]]) -> RawRequest:
    """Raises `RequestRefused`."""
    query = unique(pairs(raw_query(request)))
    written = query.pop("method", "")
    method = written.upper()
    if request.method != "POST" or method not in _METHODS:
        raise RequestRefused(400, "?method= is for POST, and one of GET, PUT, POST, DELETE, HEAD")
    sent_type = media_type(request.headers.get("Content-Type", ""))
    if sent_type not in {FORM, *_FORM_OF_OLD_PLAYERS}:
        raise RequestRefused(400, f"a request with ?method= must be a form ({FORM})")
    try:
        form = unique([*query.items(), *pairs((await body()).decode())])
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

    return RawRequest(
        method, form, headers, read, alternate=True, fault=_fault(sent_type, query, written)
    )


def _fault(sent_type: str, query: Mapping[str, str], method: str) -> str:
    """What of it no rule allows, and players do."""
    if sent_type != FORM:
        return f"a request with ?method= must be a form ({FORM})"
    if query:
        return "a request with ?method= has all other parameters in its form"
    return "" if method.isupper() else "the method of ?method= is written in capitals"


def credential_of(start: bytes) -> dict[str, str]:
    """The header Authorization that the start of a form has."""
    fields = pairs(start.rpartition(b"&")[0].decode("utf-8", "replace"))
    shown = next((value for name, value in fields if name.lower() == "authorization"), None)
    if shown is None:
        raise RequestRefused(
            413,
            f"a form must show its Authorization within its first {len(start) - 1} bytes, before "
            "its content",
            close=True,
        )
    return {"Authorization": shown}
