"""The table of routes: path, methods, which listener answers, and who may call it.

It is the whole of what answers: `app.handlers` says with what, and nothing else adds routes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web
from aiohttp.typedefs import Handler

from pointsman.sources.http.lrs.resources import Resource

#: HEAD works wherever GET does
READ = ("GET", "HEAD")
_XAPI = "/xapi/"


class Listener(StrEnum):
    """Which port answers. Without [http.operator] there is one port, and it answers all."""

    #: [http]: players, browsers and other systems, also those on the internet
    PUBLIC = "public"
    #: [http.operator]: the operator's own network
    OPERATOR = "operator"


class Caller(StrEnum):
    """Who may call a route, and how they are known."""

    #: no credential is asked for
    ANYBODY = "anybody"
    #: a source of [[sources.http]], or a launched player: Basic or bearer
    SENDER = "sender"
    #: a launched player: its credential is in the path, or in the header of who asks for a receipt
    LAUNCHED_PLAYER = "launched player"
    #: another system: its signature or password is known only with the body
    SIGNED_SOURCE = "signed source"
    #: a credential of launches.operators
    OPERATOR = "operator"
    #: an operator's browser: the cookie of a session, which a key of http.operator.keys opens
    SIGNED_IN = "signed in"


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table.

    With `slash` the path is answered with a slash at its end too, for a redirect would lose a
    player's POST; and below /xapi/ with two in front of the resource, which players write that put
    a slash behind an endpoint that ends in one.
    """

    path: str
    methods: tuple[str, ...]
    listener: Listener
    caller: Caller
    slash: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        if not self.slash:
            return (self.path,)
        doubled = self.path.replace(_XAPI, f"{_XAPI}/") if self.path.startswith(_XAPI) else ""
        paths = (self.path, doubled) if doubled else (self.path,)
        return tuple(written for path in paths for written in (path, f"{path}/"))


_PUBLIC, _POST = Listener.PUBLIC, ("POST",)
XAPI = {
    resource: Route(resource, (*_POST, "PUT", "DELETE", *READ), _PUBLIC, Caller.SENDER, slash=True)
    for resource in Resource
}
#: POST is for ?method=GET alone
ABOUT = Route("/xapi/about", (*_POST, *READ), _PUBLIC, Caller.ANYBODY, slash=True)
SCORM_COMMIT = Route("/scorm/{token}/commit", _POST, _PUBLIC, Caller.LAUNCHED_PLAYER, slash=True)
SCORM_DATA = Route("/scorm/{token}/data", READ, _PUBLIC, Caller.LAUNCHED_PLAYER, slash=True)
CMI5_FETCH = Route("/cmi5/fetch/{token}", _POST, _PUBLIC, Caller.LAUNCHED_PLAYER)
RECEIPT = Route("/launches/{registration}/receipt", READ, _PUBLIC, Caller.LAUNCHED_PLAYER)
POSTBACK = Route("/scorm-cloud/postback", _POST, _PUBLIC, Caller.SIGNED_SOURCE, slash=True)
WEBHOOK = Route("/webhooks/{source}", _POST, _PUBLIC, Caller.SIGNED_SOURCE, slash=True)
CONFIRMATION = Route("/confirmations/{name}", _POST, _PUBLIC, Caller.SIGNED_SOURCE, slash=True)
HOME = Route("/", READ, _PUBLIC, Caller.ANYBODY)

LAUNCH = Route("/launches", _POST, Listener.OPERATOR, Caller.OPERATOR)
CMI5_WAIVE = Route("/launches/{registration}/waive", _POST, Listener.OPERATOR, Caller.OPERATOR)
OPERATOR_HOME = Route("/", READ, Listener.OPERATOR, Caller.ANYBODY)
HEALTHZ = Route("/healthz", READ, Listener.OPERATOR, Caller.ANYBODY)
READYZ = Route("/readyz", READ, Listener.OPERATOR, Caller.ANYBODY)
METRICS = Route("/metrics", READ, Listener.OPERATOR, Caller.ANYBODY)
#: the operator's page, by what it is called there
UI = {
    name: Route(path, methods, Listener.OPERATOR, caller)
    for name, path, methods, caller in (
        ("home", "/ui", READ, Caller.SIGNED_IN),
        ("login", "/ui/login", (*_POST, *READ), Caller.ANYBODY),
        ("logout", "/ui/logout", _POST, Caller.SIGNED_IN),
        ("static", "/ui/static/{name}", READ, Caller.ANYBODY),
        ("events", "/ui/events", ("GET",), Caller.SIGNED_IN),
        ("story", "/ui/story", READ, Caller.SIGNED_IN),
        ("parked", "/ui/parked", (*_POST, *READ), Caller.SIGNED_IN),
        ("letters", "/ui/dead-letters", (*_POST, *READ), Caller.SIGNED_IN),
        ("unmatched", "/ui/unmatched", READ, Caller.SIGNED_IN),
        ("replay", "/ui/replay", (*_POST, *READ), Caller.SIGNED_IN),
        ("delivery", "/ui/delivery", (*_POST, *READ), Caller.SIGNED_IN),
        ("activity", "/ui/activity", READ, Caller.SIGNED_IN),
        ("people", "/ui/people", (*_POST, *READ), Caller.SIGNED_IN),
    )
}

ROUTES = (
    *XAPI.values(),
    ABOUT,
    SCORM_COMMIT,
    SCORM_DATA,
    CMI5_FETCH,
    RECEIPT,
    POSTBACK,
    WEBHOOK,
    CONFIRMATION,
    HOME,
    LAUNCH,
    CMI5_WAIVE,
    OPERATOR_HOME,
    HEALTHZ,
    READYZ,
    METRICS,
    *UI.values(),
)


def add_routes(
    app: web.Application, handlers: Mapping[Route, Handler], listeners: Collection[Listener]
) -> None:
    """Let the application answer those of these listeners that have a handler."""
    for route in ROUTES:
        handler = handlers.get(route)
        if handler is None or route.listener not in listeners:
            continue
        for path in route.paths:
            for method in route.methods:
                app.router.add_route(method, path, handler, expect_handler=_hold_expectation)


async def _hold_expectation(_request: web.Request) -> None:
    """Leaves `Expect: 100-continue` to `read_body`.

    aiohttp would invite the body at once, before anybody was asked who they are.
    """
