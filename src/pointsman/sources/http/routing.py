"""How a route is added: every one of them leaves `Expect` to whoever reads the body."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from pointsman.sources.http.body import hold_expectation

#: the methods that read
READS = ("GET", "HEAD")


def route(app: web.Application, method: str, path: str, handler: Handler) -> None:
    app.router.add_route(method, path, handler, expect_handler=hold_expectation)


def route_get(app: web.Application, path: str, handler: Handler) -> None:
    """HEAD works wherever GET does."""
    for method in READS:
        route(app, method, path, handler)
