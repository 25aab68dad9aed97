"""Answers posts of statements without the application's router, which does the same for each.

Anything else, from another method to a path that is written otherwise, is the application's. What
answers is the same for both: the handler of the route, within `Surrounding`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from pointsman.sources.http.lrs.resources import Resource
from pointsman.sources.http.middleware import Surrounding

RequestHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_PATH: str = Resource.STATEMENTS


class DirectPosts:
    """`handler` answers the route of this application."""

    def __init__(self, app: web.Application, surrounding: Surrounding, handler: Handler) -> None:
        route = next(
            route
            for route in app.router.routes()
            if route.method == "POST"
            and route.resource is not None
            and route.resource.canonical == _PATH
        )
        # what the router finds for each of these requests; nothing changes in it
        self._match = web.UrlMappingMatchInfo({}, route)
        self._match.add_app(app)
        self._match.current_app = app
        self._match.freeze()
        self._surrounding, self._handler = surrounding, handler

    def before(self, by_router: RequestHandler) -> RequestHandler:
        """What answers all requests: the posts here, and the others by the router."""

        def answer(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
            if (
                request.raw_path == _PATH
                and request.method == "POST"
                and isinstance(request, web.Request)
            ):
                request._match_info = self._match  # noqa: SLF001 - as the application does
                return self._surrounding.answer(request, self._handler, _PATH, _PATH)
            return by_router(request)

        return answer


#: where an application keeps them
DIRECT_POSTS = web.AppKey("direct_posts", DirectPosts)


def answer_of(app: web.Application, by_router: RequestHandler) -> RequestHandler:
    """What answers the requests of an application; all by its router where others surround it too.

    As traces do.
    """
    posts = app.get(DIRECT_POSTS)
    return by_router if posts is None or len(app.middlewares) > 1 else posts.before(by_router)
