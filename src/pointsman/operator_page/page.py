"""Answers /ui: who may see and do what, how pages are made, and which handler has which route."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

import aiohttp_jinja2
import jinja2
from aiohttp import web
from aiohttp.typedefs import Handler

from pointsman.config import Settings
from pointsman.delivery.budget.base import QuotaLimits
from pointsman.domain.clock import Clock
from pointsman.domain.errors import StoreUnavailable
from pointsman.operator_page.access import (
    COOKIE,
    LIFETIME,
    Access,
    User,
    fetch_site,
    is_own_form,
    operator_keys,
)
from pointsman.operator_page.forms import Forms
from pointsman.operator_page.jobs import Jobs
from pointsman.operator_page.overview import Overview, SourceView
from pointsman.operator_page.shown import FILTERS, Shown
from pointsman.operator_page.views import Views
from pointsman.sources.http.body import BodyLimits, read_body
from pointsman.sources.http.client_address import sender_address
from pointsman.sources.http.routes import UI, Route
from pointsman.store.base import Store

#: seconds between two events, and for which one stream of them lasts; the browser asks again
_EVERY, _STREAM = 2.0, 300.0
_MOST_FORM = 65_536
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not no-referrer: then a form's Origin would be "null"
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
#: the files that a browser may ask for without being signed in
_STATIC = {"app.css": "text/css", "app.js": "text/javascript", "icon.svg": "image/svg+xml"}

View = Callable[[web.Request, User], Awaitable[Shown | web.StreamResponse]]
Form = Callable[[web.Request, User, Mapping[str, str]], Awaitable[Shown | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class PageDeps:
    """What the page needs of the daemon. `wake` says that there may be something to send."""

    settings: Settings
    store: Store
    clock: Clock
    access: Access
    overview: Overview
    wake: Callable[[], None]
    is_draining: Callable[[], bool]


class OperatorPage:
    """All of /ui."""

    def __init__(self, deps: PageDeps) -> None:
        self._deps = deps
        self._access = deps.access
        self._jobs = Jobs()
        self._limits = BodyLimits(_MOST_FORM, deps.settings.http.connections.body_seconds)
        self._views = Views(deps.settings, deps.store, deps.clock, deps.overview, self._jobs)
        self._forms = Forms(
            deps.settings, deps.store, deps.clock, self._jobs, self._views, deps.wake
        )

    def reconfigure(
        self, settings: Settings, sources: Sequence[SourceView], limits: QuotaLimits
    ) -> None:
        """Show these from now on; who is signed in stays so."""
        self._deps.access.reconfigure(operator_keys(settings))
        self._views.reconfigure(settings)
        self._forms.reconfigure(settings)
        self._deps.overview.reconfigure(sources, [rule.name for rule in settings.rules], limits)

    def set_up(self, app: web.Application) -> None:
        """Let the application render the templates."""
        aiohttp_jinja2.setup(
            app,
            loader=jinja2.PackageLoader("pointsman.operator_page"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            filters=FILTERS,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def handlers(self) -> dict[Route, Handler]:
        """What answers each route of `UI`."""
        views, forms = self._views, self._forms
        return {
            UI["home"]: self._page(views.home),
            UI["login"]: self._login,
            UI["logout"]: self._logout,
            UI["static"]: self._static,
            UI["events"]: self._page(self._events),
            UI["story"]: self._page(views.story),
            UI["parked"]: self._page(views.parked, forms.parked),
            UI["letters"]: self._page(views.letters, forms.letters),
            UI["unmatched"]: self._page(views.unmatched),
            UI["replay"]: self._page(views.replay, forms.replay),
            UI["delivery"]: self._page(views.delivery, forms.delivery),
            UI["activity"]: self._page(views.activity),
            UI["people"]: self._page(views.people, forms.people),
        }

    async def close(self) -> None:
        await self._jobs.close()

    def _page(self, view: View, form: Form | None = None) -> Handler:
        """GET for who is signed in; POST for operators, with a form of ours."""

        async def handle(request: web.Request) -> web.StreamResponse:
            user = self._access.user(request.cookies.get(COOKIE))
            if user is None:
                return self._sign_in_page(request, status=401)
            try:
                if request.method != "POST" or form is None:
                    shown = await view(request, user)
                else:
                    shown = await self._submitted(request, user, form)
            except StoreUnavailable as error:
                shown = Shown("error.html", {"reason": f"The store does not answer: {error}"}, 503)
            if isinstance(shown, web.StreamResponse):
                return shown
            return await self._render(request, user, shown)

        return handle

    async def _submitted(
        self, request: web.Request, user: User, form: Form
    ) -> Shown | web.StreamResponse:
        fields = await self._fields(request)
        site = fetch_site(request.headers, request.host)
        if not is_own_form(user, fields.get("csrf", ""), site):
            reason = "This form was not sent by a page of yours, or is too old. Open it again."
            return Shown("error.html", {"reason": reason}, 403)
        if not user.may_change:
            reason = f"The key of {user.name} may look and not change anything (role viewer)."
            return Shown("error.html", {"reason": reason}, 403)
        return await form(request, user, fields)

    async def _fields(self, request: web.Request) -> dict[str, str]:
        body = await read_body(request, self._limits)
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))

    async def _render(self, request: web.Request, user: User | None, shown: Shown) -> web.Response:
        pauses = [] if user is None else await self._pauses()
        context = {
            "user": user,
            "path": request.path.rstrip("/") or "/ui",
            "pauses": pauses,
            "notice": "",
            **shown.context,
        }
        response = aiohttp_jinja2.render_template(
            shown.template, request, context, status=shown.status
        )
        response.headers.update(_HEADERS)
        return response

    async def _pauses(self) -> list[str]:
        try:
            return [pause.words for pause in await self._deps.store.pauses()]
        except StoreUnavailable:
            return []

    async def _login(self, request: web.Request) -> web.StreamResponse:
        if request.method != "POST":
            return self._sign_in_page(request)
        if fetch_site(request.headers, request.host) not in {"", "same-origin", "none"}:
            return self._sign_in_page(request, status=403, problem="Sign in from this page.")
        fields = await self._fields(request)
        shown = self._access.sign_in(fields.get("key", ""), sender_address(request))
        if shown.wait:
            words = f"Too many keys were tried; wait {shown.wait:.0f} seconds."
            page = self._sign_in_page(request, status=429, problem=words)
            page.headers["Retry-After"] = str(math.ceil(shown.wait))
            return page
        if not shown.token:
            return self._sign_in_page(request, status=401, problem="This key is not known here.")
        response = web.Response(status=303, headers={"Location": _within(fields.get("next", ""))})
        response.headers.update(_HEADERS)
        response.set_cookie(
            COOKIE,
            shown.token,
            path="/ui",
            max_age=LIFETIME,
            httponly=True,
            samesite="Strict",
            secure=_is_https(request),
        )
        return response

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        user = self._access.user(request.cookies.get(COOKIE))
        fields = await self._fields(request)
        if user is not None and not is_own_form(
            user, fields.get("csrf", ""), fetch_site(request.headers, request.host)
        ):
            return self._sign_in_page(request, status=403)
        response = web.Response(status=303, headers={"Location": "/ui/login"})
        response.headers.update(_HEADERS)
        response.del_cookie(COOKIE, path="/ui")
        return response

    def _sign_in_page(
        self, request: web.Request, *, status: int = 200, problem: str = ""
    ) -> web.Response:
        context: dict[str, Any] = {
            "user": None,
            "path": request.path,
            "pauses": [],
            "notice": "",
            "problem": problem,
            "next": _within(request.path_qs if request.method == "GET" else ""),
        }
        response = aiohttp_jinja2.render_template("login.html", request, context, status=status)
        response.headers.update(_HEADERS)
        return response

    async def _static(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in _STATIC:
            raise web.HTTPNotFound
        content = files("pointsman.operator_page").joinpath("static", name).read_bytes()
        headers = {**_HEADERS, "Cache-Control": "max-age=300"}
        return web.Response(
            body=content, content_type=_STATIC[name], charset="utf-8", headers=headers
        )

    async def _events(self, request: web.Request, _user: User) -> web.StreamResponse:
        """Server-sent events: the numbers of the home page, while somebody looks."""
        headers = {**_HEADERS, "Content-Type": "text/event-stream"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        clock = self._deps.clock
        until = clock.monotonic() + _STREAM
        while clock.monotonic() < until and not self._deps.is_draining():
            numbers = await self._numbers()
            try:
                await response.write(b"data: " + json.dumps(numbers).encode() + b"\n\n")
            except ConnectionResetError:
                break
            await asyncio.sleep(_EVERY)
        return response

    async def _numbers(self) -> Mapping[str, Any]:
        try:
            return await self._deps.overview.numbers()
        except StoreUnavailable as error:
            return {"platform": f"The store does not answer: {error}"}


def _within(path: str) -> str:
    """Where to go after signing in: a page of ours, whatever was asked for."""
    ours = path.startswith("/ui") and not path.startswith(("/ui/login", "/ui/logout", "/ui/events"))
    return path if ours and path.isprintable() else "/ui"


def _is_https(request: web.Request) -> bool:
    return request.secure or request.headers.get("X-Forwarded-Proto", "") == "https"
