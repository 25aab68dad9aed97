"""What answers the routes of launches, and of players that are launched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp.typedefs import Handler

from pointsman.domain.clock import Clock
from pointsman.domain.launch import Launch, PlayerKind
from pointsman.sources.batch import BatchReader, StatementIntake
from pointsman.sources.http.authorization import (
    LAUNCHED,
    Authenticator,
    HttpSource,
    RequestAuthorizer,
)
from pointsman.sources.http.body import BodyLimits
from pointsman.sources.http.cmi5 import Cmi5Resource, LearningSystem
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.sources.http.launch_limits import LaunchLimits
from pointsman.sources.http.launches import Begin, KeepToken, LaunchResource
from pointsman.sources.http.operator_actions import RecordAction
from pointsman.sources.http.receipt import MakeReceipt, ReceiptResource
from pointsman.sources.http.routes import (
    CMI5_FETCH,
    CMI5_WAIVE,
    LAUNCH,
    RECEIPT,
    SCORM_COMMIT,
    SCORM_DATA,
    Route,
)
from pointsman.sources.http.scorm import ScormResource
from pointsman.sources.http.settings import HttpSettings
from pointsman.sources.players import CredentialIssuer, LaunchCache
from pointsman.sources.players.launch_actor import ActorRules
from pointsman.sources.players.scorm.commits import CommitHandler, SessionStore
from pointsman.sources.settings import LaunchSettings


@dataclass(frozen=True, slots=True)
class LaunchRoutesDeps:
    """What launches need of the rest of the daemon, where there are any."""

    operators: HttpSource
    credentials: CredentialIssuer
    launches: LaunchCache
    keep_token: KeepToken
    settings: LaunchSettings
    actors: ActorRules
    limits: LaunchLimits
    lms: LearningSystem
    record: RecordAction
    #: what became of a launch, as JSON
    receipt: MakeReceipt
    #: raises `Forbidden` for a learner whose input is refused
    must_take: Callable[[Launch], None]


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
    def attempts(self) -> FailedAttempts: ...

    @property
    def settings(self) -> HttpSettings: ...

    @property
    def body_timeout(self) -> float: ...

    @property
    def on_refused(self) -> Callable[[str, int], None]: ...


def launch_handlers(
    launches: LaunchRoutesDeps, context: HttpContext, authorizer: RequestAuthorizer
) -> dict[Route, Handler]:
    cmi5 = _cmi5(launches, context, authorizer)
    scorm = _scorm(launches, context, authorizer)
    return {
        LAUNCH: _launch_resource(launches, context).post,
        CMI5_FETCH: cmi5.fetch,
        CMI5_WAIVE: cmi5.waive,
        SCORM_COMMIT: scorm.post,
        SCORM_DATA: scorm.data,
        RECEIPT: ReceiptResource(authorizer, launches.receipt, context.settings.cors_origins).get,
    }


def _launch_resource(launches: LaunchRoutesDeps, context: HttpContext) -> LaunchResource:
    return LaunchResource(
        Authenticator([launches.operators], context.attempts),
        launches.credentials,
        launches.launches,
        launches.keep_token,
        _begin(launches.lms),
        launches.record,
        launches.settings,
        launches.actors,
        launches.must_take,
        context.clock,
        context.body_timeout,
    )


def _begin(lms: LearningSystem) -> Begin:
    async def begin(launch: Launch, url: str | None) -> None:
        if launch.kind is PlayerKind.CMI5:
            await lms.open(launch, url)

    return begin


def _cmi5(
    launches: LaunchRoutesDeps, context: HttpContext, authorizer: RequestAuthorizer
) -> Cmi5Resource:
    return Cmi5Resource(
        authorizer,
        Authenticator([launches.operators], context.attempts),
        launches.credentials,
        launches.launches,
        launches.lms,
        launches.record,
        context.clock,
        context.body_timeout,
    )


def _scorm(
    launches: LaunchRoutesDeps, context: HttpContext, authorizer: RequestAuthorizer
) -> ScormResource:
    return ScormResource(
        authorizer,
        CommitHandler(LAUNCHED, context.store, context.reader, context.intake, context.clock),
        BodyLimits(context.settings.max_body_bytes, context.body_timeout).at_most(
            launches.settings.limits.request_bytes
        ),
        launches.limits,
        context.on_refused,
    )
