"""Answers POST /launches, with which a customer's page or service starts a player for a learner.

No part of xAPI; docs/launches.md has the whole of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from pointsman.domain.clock import Clock, micros
from pointsman.domain.launch import Launch
from pointsman.domain.operator_actions import ActionKind
from pointsman.sources.http.authorization import Authenticator
from pointsman.sources.http.body import BodyLimits, read_body
from pointsman.sources.http.client_address import sender_address
from pointsman.sources.http.errors import RequestRefused, json_response
from pointsman.sources.http.operator_actions import RecordAction, action_of_request
from pointsman.sources.players import (
    CredentialIssuer,
    LaunchCache,
    LaunchRequest,
    launch_from_request,
)
from pointsman.sources.players.launch_actor import ActorRules
from pointsman.sources.players.launch_request import launch_response, parse_launch_request
from pointsman.sources.settings import LaunchSettings

_MOST_BYTES = 65_536
_HOUR = 3_600.0


#: keeps the authToken that a request brings
KeepToken = Callable[[LaunchRequest], Awaitable[None]]
#: begins what the launch's kind of player needs; the second is where the content is
Begin = Callable[[Launch, str | None], Awaitable[None]]


class LaunchResource:
    """`operators` may ask; `keep_token` has the authToken before the launch is answered.

    So has `begin` done its work, and `record` has what was done. `actors` says whom the `actor` of
    a request may be. `must_take` raises `Forbidden` for a learner whose input is refused.
    """

    def __init__(
        self,
        operators: Authenticator,
        credentials: CredentialIssuer,
        launches: LaunchCache,
        keep_token: KeepToken,
        begin: Begin,
        record: RecordAction,
        settings: LaunchSettings,
        actors: ActorRules,
        must_take: Callable[[Launch], None],
        clock: Clock,
        body_timeout: float,
    ) -> None:
        self._operators = operators
        self._credentials = credentials
        self._launches = launches
        self._keep_token = keep_token
        self._begin = begin
        self._record = record
        self._settings = settings
        self._actors = actors
        self._must_take = must_take
        self._clock = clock
        self._limits = BodyLimits(_MOST_BYTES, body_timeout)

    async def post(self, request: web.Request) -> web.Response:
        """201 with what the player needs; 409 where the registration is somebody else's."""
        self._operators.source(request.headers.get("Authorization"), sender_address(request))
        asked = parse_launch_request(await read_body(request, self._limits))
        launch = self._launch(asked)
        self._must_take(launch)
        _, revoked = await self._launches.newest(launch.registration, launch.learner)
        launch = replace(launch, revoked=revoked)
        other = await self._launches.save(launch)
        if other is not None:
            raise RequestRefused(
                409,
                f"the registration {launch.registration} is of another launch: of {other.activity} "
                f"with a {other.kind} player; leave registration out for a new attempt",
            )
        if asked.definition is not None:
            await self._launches.describe(launch.activity, asked.definition)
        await self._keep_token(asked)
        await self._begin(launch, asked.url)
        details = {"registration": launch.registration, "activity": launch.activity}
        await self._record(
            action_of_request(
                ActionKind.LAUNCH, request, self._clock, learner=launch.learner, details=details
            )
        )
        response = launch_response(launch, self._credentials, self._settings.public_url, asked.url)
        return json_response(response, status=201, headers={"Cache-Control": "no-store"})

    def _launch(self, asked: LaunchRequest) -> Launch:
        settings = self._settings
        return launch_from_request(
            asked,
            now=micros(self._clock.now()),
            lifetime=settings.lifetime_hours * _HOUR,
            longest=settings.max_lifetime_hours * _HOUR,
            actors=self._actors,
        )
