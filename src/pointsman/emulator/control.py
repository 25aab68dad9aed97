"""Routes that control a running emulator: its faults and its tokens. All of them need the key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from pointsman.domain.errors import ConfigError
from pointsman.emulator import responses
from pointsman.emulator.emulator import Emulator
from pointsman.emulator.errors import Code
from pointsman.emulator.faults import read_fault
from pointsman.emulator.responses import HttpReply

EMULATOR = web.AppKey("emulator", Emulator)

Handler = Callable[[web.Request], Awaitable[web.Response]]


def guarded(handler: Handler) -> Handler:
    """Only with the instance's key."""

    async def handle(request: web.Request) -> web.Response:
        emulator = request.app[EMULATOR]
        if emulator.key.is_shown(query=request.query, headers=request.headers):
            return await handler(request)
        return json_answer(
            responses.refusal(401, Code.UNAUTHENTICATED, "the apiKey is missing or wrong")
        )

    return handle


def add_control(app: web.Application) -> None:
    """`/emulator/faults`, `/emulator/faults/{id}` and `/emulator/tokens/expire`."""
    app.router.add_get("/emulator/faults", _list)
    app.router.add_post("/emulator/faults", _add)
    app.router.add_delete("/emulator/faults", _clear)
    app.router.add_delete("/emulator/faults/{id}", _remove)
    app.router.add_post("/emulator/tokens/expire", _expire)


@guarded
async def _list(request: web.Request) -> web.Response:
    return json_answer(responses.as_json(request.app[EMULATOR].faults.as_json()))


@guarded
async def _add(request: web.Request) -> web.Response:
    try:
        fault = read_fault(orjson.loads(await request.read()), "fault")
    except orjson.JSONDecodeError as error:
        return bad_request(f"the body is not JSON: {error}")
    except ConfigError as error:
        return bad_request(str(error))
    name = request.app[EMULATOR].faults.add(fault)
    return json_answer(responses.as_json({"id": name}, status=HTTPStatus.CREATED))


@guarded
async def _clear(request: web.Request) -> web.Response:
    request.app[EMULATOR].faults.clear()
    return json_answer(responses.as_json({"cleared": True}))


@guarded
async def _remove(request: web.Request) -> web.Response:
    name = request.match_info["id"]
    if request.app[EMULATOR].faults.remove(name):
        return json_answer(responses.as_json({"removed": name}))
    return missing(f"there is no fault {name!r}")


class _Expire(BaseModel):
    """Whose tokens; everybody's without a learner."""

    model_config = ConfigDict(extra="forbid")

    learner: str | None = None


@guarded
async def _expire(request: web.Request) -> web.Response:
    try:
        body = _Expire.model_validate_json(await request.read() or b"{}")
        expired = request.app[EMULATOR].expire_tokens(body.learner)
    except ValidationError as error:
        return bad_request(responses.problems(error))
    except KeyError:
        return missing(f"there is no learner {body.learner!r}")
    return json_answer(responses.as_json({"expired": expired}))


def missing(message: str) -> web.Response:
    return json_answer(responses.refusal(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, message))


def bad_request(message: str) -> web.Response:
    return json_answer(responses.refusal(HTTPStatus.BAD_REQUEST, Code.BAD_REQUEST, message))


def json_answer(reply: HttpReply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
