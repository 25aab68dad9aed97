"""The emulator's page in the browser: GraphiQL, from this package alone, so it works offline."""

from __future__ import annotations

from importlib import resources

from aiohttp import web

#: what may be asked for below /graphiql/, and whether it is stored compressed
_FILES = {
    "graphiql.min.css": True,
    "graphiql.min.js": True,
    "react.production.min.js": True,
    "react-dom.production.min.js": True,
    "page.css": False,
    "page.js": False,
}
_TYPES = {"css": "text/css", "js": "text/javascript"}
#: GraphiQL sets styles of elements; everything else comes from here
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def add_page(app: web.Application) -> None:
    """`/`, and its files below `/graphiql/`."""
    app.router.add_get("/", _page)
    app.router.add_get("/graphiql/{name}", _file)


async def _page(_request: web.Request) -> web.Response:
    return web.Response(
        body=_read("index.html"),
        content_type="text/html",
        charset="utf-8",
        headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"},
    )


async def _file(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _FILES:
        raise web.HTTPNotFound
    compressed = _FILES[name]
    headers = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(
        body=_read(f"{name}.gz" if compressed else name),
        content_type=_TYPES[name.rpartition(".")[2]],
        charset="utf-8",
        headers=headers,
    )


def _read(name: str) -> bytes:
    return resources.files(__package__).joinpath("graphiql", name).read_bytes()
