"""Routes that control a running emulator: endpoints of webhooks, and an administrator's actions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from pointsman.emulator import responses
from pointsman.emulator.administrator import Administrator
from pointsman.emulator.control import EMULATOR, bad_request, guarded, json_answer, missing
from pointsman.emulator.errors import Code, RejectionError
from pointsman.emulator.events import EndpointOptions


class _Action(BaseModel):
    """Which keys an action takes is said in `_ACTIONS`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    learner: str


class _InCourse(_Action):
    course: str


class _InTopic(_InCourse):
    topic: str | None = None


class _Status(_InCourse):
    status: str


class _Certificate(_Action):
    #: of a course or a learning path
    content: str


_Act = Callable[[Administrator, Any, datetime], object]
#: the path's last part, its body, and what it does
_ACTIONS: dict[str, tuple[type[_Action], _Act]] = {
    "reset": (
        _InTopic,
        lambda admin, body, now: admin.reset(body.learner, body.course, body.topic, now=now),
    ),
    "forget": (
        _InTopic,
        lambda admin, body, _now: admin.forget(body.learner, body.course, body.topic),
    ),
    "status": (
        _Status,
        lambda admin, body, now: admin.set_status(body.learner, body.course, body.status, now=now),
    ),
    "revoke": (
        _InCourse,
        lambda admin, body, now: admin.revoke(body.learner, body.course, now=now),
    ),
    "enrol": (
        _InCourse,
        lambda admin, body, now: admin.enrol(body.learner, body.course, now=now),
    ),
    "grant-certificate": (
        _Certificate,
        lambda admin, body, now: admin.grant_certificate(body.learner, body.content, now=now),
    ),
    "revoke-certificate": (
        _Certificate,
        lambda admin, body, now: admin.revoke_certificate(body.learner, body.content, now=now),
    ),
}


def add_admin(app: web.Application) -> None:
    """`/emulator/admin/{action}`, `/emulator/webhooks` and `/emulator/webhooks/{id}`."""
    app.router.add_post("/emulator/admin/{action}", _act)
    app.router.add_get("/emulator/webhooks", _list)
    app.router.add_post("/emulator/webhooks", _register)
    app.router.add_delete("/emulator/webhooks/{id}", _remove)


@guarded
async def _act(request: web.Request) -> web.Response:
    name = request.match_info["action"]
    if name not in _ACTIONS:
        return missing(f"there is no action {name!r}; there are {', '.join(_ACTIONS)}")
    model, act = _ACTIONS[name]
    try:
        body = model.model_validate_json(await request.read())
        changed = request.app[EMULATOR].administer(lambda admin, now: act(admin, body, now))
    except ValidationError as error:
        return bad_request(responses.problems(error))
    except RejectionError as error:
        refuse = missing if error.code == Code.NOT_FOUND else bad_request
        return refuse(error.message)
    # only what can be so already says whether it was
    return json_answer(responses.as_json({"changed": changed is not False}))


@guarded
async def _list(request: web.Request) -> web.Response:
    return json_answer(responses.as_json(request.app[EMULATOR].webhooks.as_json()))


@guarded
async def _register(request: web.Request) -> web.Response:
    try:
        options = EndpointOptions.model_validate_json(await request.read())
    except ValidationError as error:
        return bad_request(responses.problems(error))
    name = request.app[EMULATOR].webhooks.register(options)
    return json_answer(responses.as_json({"id": name}, status=HTTPStatus.CREATED))


@guarded
async def _remove(request: web.Request) -> web.Response:
    name = request.match_info["id"]
    if request.app[EMULATOR].webhooks.remove(name):
        return json_answer(responses.as_json({"removed": name}))
    return missing(f"there is no endpoint {name!r}")
