"""Makes the record of what an operator's credential did by HTTP: `pointsman activity` shows it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from pointsman.domain.clock import Clock, micros
from pointsman.domain.operator_actions import ActionKind, OperatorAction
from pointsman.sources.http.client_address import sender_address

RecordAction = Callable[[OperatorAction], Awaitable[object]]
DONE = "done"


def action_of_request(
    kind: ActionKind,
    request: web.Request,
    clock: Clock,
    *,
    learner: str = "",
    details: Mapping[str, str | int] | None = None,
) -> OperatorAction:
    """What an authorized request did: who is the credential's key, the origin its address."""
    return OperatorAction(
        micros(clock.now()),
        kind,
        credential_name(request.headers.get("Authorization")),
        sender_address(request),
        learner,
        details or {},
        DONE,
    )


def credential_name(authorization: str | None) -> str:
    """The key of HTTP Basic; a bearer token is secret as a whole, and has no name."""
    scheme, _, shown = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return "bearer token"
    try:
        key = base64.b64decode(shown.strip(), validate=True).partition(b":")[0]
    except (binascii.Error, ValueError):
        return ""
    return key.decode("utf-8", "replace")
