"""Takes the commits of scorm-again, and answers what its next run starts with.

The launch's credential is in the path, for a commit that a closing page sends has neither headers
nor cookies of its own, and the browser shows nobody the answer (docs/players/scorm.md).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from pointsman.domain.errors import InputRefused
from pointsman.domain.launch import Launch
from pointsman.sources.http.authorization import LAUNCHED, RequestAuthorizer
from pointsman.sources.http.body import BodyLimits, read_body
from pointsman.sources.http.errors import answer, json_response
from pointsman.sources.http.launch_limits import LaunchLimits
from pointsman.sources.http.lrs.endpoint import current_source
from pointsman.sources.players import CredentialExpired, Purpose
from pointsman.sources.players.scorm.commits import CommitHandler
from pointsman.statements.scorm import starting_data
from pointsman.statements.scorm.commit import FINAL

#: SCORM's general exception, in both of its versions
_FAILED = 101
#: characters that may name a run of the player
_MOST_NAME = 100
_NO_STORE = {"Cache-Control": "no-store"}

Answer = Callable[[web.Request], Awaitable[web.Response]]


class ScormResource:
    """`on_refused` is told of commits that were turned away."""

    def __init__(
        self,
        authorizer: RequestAuthorizer,
        commits: CommitHandler,
        limits: BodyLimits,
        launch_limits: LaunchLimits,
        on_refused: Callable[[str, int], None],
    ) -> None:
        self._authorizer = authorizer
        self._commits = commits
        self._limits = limits
        self._launch_limits = launch_limits
        self._on_refused = on_refused

    async def post(self, request: web.Request) -> web.Response:
        """200 with `{"result": true}` after the commit; 204 would be an error to the client."""
        return await _with_scorm_errors(request, self._commit)

    async def data(self, request: web.Request) -> web.Response:
        return await _with_scorm_errors(request, self._data)

    async def _commit(self, request: web.Request) -> web.Response:
        query: Mapping[str, str] = request.query if "?" in request.raw_path else {}
        final = any(query.get(name) == "true" for name in FINAL)
        try:
            launch = await self._launch(request)
        except CredentialExpired as error:
            credential = error.credential
            body = await self._body(request, credential.registration, credential.learner)
            await self._commits.keep_dead_letter(
                credential.registration, body, str(error), final=final
            )
            raise
        body = await self._body(request, launch.registration, launch.learner)
        player = query.get("session", "")[:_MOST_NAME]
        try:
            await self._commits.accept(launch, body, player=player, final=final)
        except InputRefused:
            self._on_refused(LAUNCHED, 1)
            raise
        return json_response({"result": True, "errorCode": 0}, headers=_NO_STORE)

    async def _data(self, request: web.Request) -> web.Response:
        launch = await self._launch(request)
        session = await self._commits.session(launch)
        return json_response(starting_data(launch, session), headers=_NO_STORE)

    async def _body(self, request: web.Request, registration: str, learner: str) -> bytes:
        body = await read_body(request, self._limits)
        await self._launch_limits.count_statements(registration, learner, len(body))
        return body

    async def _launch(self, request: web.Request) -> Launch:
        launch = await self._authorizer.launch(request.match_info["token"], Purpose.SCORM)
        current_source.set(LAUNCHED)
        return launch


async def _with_scorm_errors(request: web.Request, handler: Answer) -> web.Response:
    """Refusals as SCORM's clients read them, beside the shape of all others."""
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001 - `answer` knows each of them
        response = answer(request, error)
        error_body = json.loads(response.text or "{}")
        reason = error_body["error"]["reason"]
        failed = {"result": False, "errorCode": _FAILED, "errorMessage": reason, **error_body}
        response.body = json.dumps(failed, separators=(",", ":")).encode("ascii")
        response.headers.update(_NO_STORE)
        return response
