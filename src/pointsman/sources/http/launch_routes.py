"""The routes of launches and of players that are launched: none where there are no launches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from pointsman.domain.clock import Clock
from pointsman.domain.launch import Launch, PlayerKind
from pointsman.sources.batch import BatchReader, StatementIntake
from pointsman.sources.http.auth import Authenticator, HttpSource
from pointsman.sources.http.authorization import LAUNCHED, RequestAuthorizer
from pointsman.sources.http.body import BodyLimits
from pointsman.sources.http.cmi5 import FETCH, WAIVE, Cmi5Resource, LearningSystem
from pointsman.sources.http.launches import Begin, KeepToken, LaunchResource, LaunchSettings
from pointsman.sources.http.routing import route, route_get
from pointsman.sources.http.scorm import ScormResource
from pointsman.sources.players import CredentialIssuer, LaunchCache
from pointsman.sources.players.scorm.commits import CommitHandler, SessionStore


@dataclass(frozen=True, slots=True)
class LaunchRoutesDeps:
    """What launches need of the rest of the daemon, where there are any."""

    operators: HttpSource
    passes: CredentialIssuer
    launches: LaunchCache
    keep_token: KeepToken
    settings: LaunchSettings
    lms: LearningSystem


class HttpContext(Protocol):
    """What they share with the rest of the HTTP side."""

    @property
    def reader(self) -> BatchReader: ...

    @property
    def intake(self) -> StatementIntake: ...

    @property
    def store(self) -> SessionStore: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def max_body_bytes(self) -> int: ...

    @property
    def body_timeout(self) -> float: ...

    @property
    def on_refused(self) -> Callable[[str, int], None]: ...


def add_launched(
    app: web.Application, launches: LaunchRoutesDeps, around: HttpContext, door: RequestAuthorizer
) -> None:
    opening = _opening(launches, around)
    route(app, "POST", "/launches", opening.post)
    cmi5 = _cmi5(launches, around, door)
    route(app, "POST", FETCH, cmi5.fetch)
    route(app, "POST", WAIVE, cmi5.waive)
    scorm = _scorm(around, door)
    for slash in ("", "/"):
        route(app, "POST", "/scorm/{token}/commit" + slash, scorm.post)
        route_get(app, "/scorm/{token}/data" + slash, scorm.data)


def _opening(launches: LaunchRoutesDeps, around: HttpContext) -> LaunchResource:
    return LaunchResource(
        Authenticator([launches.operators]),
        launches.passes,
        launches.launches,
        launches.keep_token,
        _begin(launches.lms),
        launches.settings,
        around.clock,
        around.body_timeout,
    )


def _begin(lms: LearningSystem) -> Begin:
    async def begin(launch: Launch, url: str | None) -> None:
        if launch.kind is PlayerKind.CMI5:
            await lms.open(launch, url)

    return begin


def _cmi5(launches: LaunchRoutesDeps, around: HttpContext, door: RequestAuthorizer) -> Cmi5Resource:
    return Cmi5Resource(
        door,
        Authenticator([launches.operators]),
        launches.passes,
        launches.launches,
        launches.lms,
        around.body_timeout,
    )


def _scorm(around: HttpContext, door: RequestAuthorizer) -> ScormResource:
    return ScormResource(
        door,
        CommitHandler(LAUNCHED, around.store, around.reader, around.intake, around.clock),
        BodyLimits(around.max_body_bytes, around.body_timeout),
        around.on_refused,
    )
