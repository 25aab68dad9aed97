"""Answers cmi5's fetch URL (section 8.2), and an address of ours for waiving (section 9.3.7)."""

from __future__ import annotations

from typing import Annotated, Protocol
from uuid import UUID

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from pointsman.domain.clock import Clock
from pointsman.domain.errors import InputRefused, StoreUnavailable
from pointsman.domain.launch import Launch, PlayerKind
from pointsman.domain.operator_actions import ActionKind
from pointsman.sources.http.authorization import Authenticator, RequestAuthorizer
from pointsman.sources.http.body import BodyLimits, read_body
from pointsman.sources.http.client_address import sender_address
from pointsman.sources.http.errors import RETRY_AFTER, RequestRefused, json_response
from pointsman.sources.http.operator_actions import RecordAction, action_of_request
from pointsman.sources.players import (
    CredentialExpired,
    CredentialIssuer,
    CredentialRefused,
    LaunchCache,
    Purpose,
)
from pointsman.sources.players.cmi5.session_store import Cmi5SessionStore
from pointsman.sources.players.credentials import in_base64

_MOST_BYTES = 16_384
_NO_STORE = {"Cache-Control": "no-store"}
#: section 8.2.3.2
_USED_OR_EXPIRED, _SECURITY, _APPLICATION = "1", "2", "3"


class LearningSystem(Protocol):
    """`Lms`, as these addresses see it."""

    @property
    def sessions(self) -> Cmi5SessionStore: ...

    async def open(self, launch: Launch, url: str | None) -> None: ...

    async def fetch(self, launch: Launch) -> bool: ...

    async def waive(self, launch: Launch, reason: str) -> str: ...


class Waiver(BaseModel):
    """The body of a waiver; cmi5 has four reasons in mind, such as Administrative."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]


class Cmi5Resource:
    """`operators` may waive, which `record` is told; players fetch."""

    def __init__(
        self,
        authorizer: RequestAuthorizer,
        operators: Authenticator,
        credentials: CredentialIssuer,
        launches: LaunchCache,
        lms: LearningSystem,
        record: RecordAction,
        clock: Clock,
        body_timeout: float,
    ) -> None:
        self._authorizer = authorizer
        self._operators = operators
        self._credentials = credentials
        self._launches = launches
        self._lms = lms
        self._record = record
        self._clock = clock
        self._limits = BodyLimits(_MOST_BYTES, body_timeout)

    async def fetch(self, request: web.Request) -> web.Response:
        """The session's credential, once.

        An address that is good no longer is answered with 200 as cmi5 wants it; one that never was,
        or has expired, with 401, for the published client takes every 200 for a credential.
        """
        try:
            launch = await self._authorizer.launch(request.match_info["token"], Purpose.FETCH)
            is_first = await self._lms.fetch(launch)
        except CredentialExpired as error:
            return _error(_USED_OR_EXPIRED, str(error), 401)
        except CredentialRefused as error:
            return _error(_SECURITY, str(error), 401)
        except StoreUnavailable as error:
            return _error(_APPLICATION, str(error), 503, {"Retry-After": RETRY_AFTER})
        if not is_first:
            return _error(_USED_OR_EXPIRED, "Already in Use", 200)
        token = in_base64(self._credentials.issue(launch, Purpose.XAPI))
        return json_response({"auth-token": token}, headers=_NO_STORE)

    async def waive(self, request: web.Request) -> web.Response:
        """200 with the statement's id; again the same, for what is waived is waived once."""
        self._operators.source(request.headers.get("Authorization"), sender_address(request))
        waiver = _read(await read_body(request, self._limits))
        registration = _registration(request.match_info["registration"])
        launch = await self._launches.find(registration)
        if launch is None:
            raise RequestRefused(404, f"no launch has the registration {registration}")
        if launch.kind is not PlayerKind.CMI5:
            raise RequestRefused(
                409, f"the launch {registration} is of a {launch.kind} player; only cmi5 is waived"
            )
        statement_id = await self._lms.waive(launch, waiver.reason)
        details = {"registration": registration, "reason": waiver.reason}
        await self._record(
            action_of_request(
                ActionKind.WAIVE, request, self._clock, learner=launch.learner, details=details
            )
        )
        return json_response({"registration": registration, "statement": statement_id})


def _read(body: bytes) -> Waiver:
    try:
        return Waiver.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise InputRefused(f"the body is not JSON: {error.msg}") from None
    except ValidationError:
        raise InputRefused(
            'the body must be {"reason": "…"}, with up to 1000 characters, such as Tested Out, '
            "Equivalent AU, Equivalent Outside Activity or Administrative"
        ) from None


def _registration(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise RequestRefused(404, "the registration must be a UUID") from None


def _error(
    code: str, text: str, status: int, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"error-code": code, "error-text": text}
    return json_response(body, status=status, headers=_NO_STORE | (headers or {}))
