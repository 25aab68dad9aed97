"""The emulator on HTTP: a thin aiohttp shell around `Emulator`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from pointsman.domain.errors import ConfigError
from pointsman.domain.port_errors import cannot_listen
from pointsman.emulator import responses
from pointsman.emulator.admin_routes import add_admin
from pointsman.emulator.control import EMULATOR, add_control, guarded, json_answer
from pointsman.emulator.emulator import Emulator
from pointsman.emulator.events import PostWebhook
from pointsman.emulator.events.http_post import http_post
from pointsman.emulator.graphiql_page import add_page
from pointsman.emulator.responses import HttpReply
from pointsman.emulator.rest import BASE

#: seconds that open connections get when the server stops
SHUTDOWN = 2.0


def make_app(emulator: Emulator) -> web.Application:
    """The application: `/helium`, `/incoming/v2/`, `/emulator/` and a page at `/`."""
    app = web.Application(client_max_size=emulator.max_body_bytes)
    app[EMULATOR] = emulator
    add_page(app)
    app.router.add_post("/helium", _helium)
    app.router.add_get("/emulator/state", _state)
    app.router.add_post("/emulator/reset", _reset)
    app.router.add_route("*", f"{BASE}{{name:.*}}", _rest)
    add_control(app)
    add_admin(app)
    return app


@asynccontextmanager
async def serve(emulator: Emulator, *, host: str, port: int) -> AsyncIterator[str]:
    """Serve until the block ends. Yields the base URL; port 0 takes a free port.

    Raises `ConfigError` when the address can't be listened on.
    """
    runner = web.AppRunner(make_app(emulator), access_log=None, shutdown_timeout=SHUTDOWN)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(
                cannot_listen(error, host, port, host_setting="--host", port_setting="--port")
            ) from None
        async with http_post() as post, _running(emulator, post):
            yield f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _running(emulator: Emulator, post: PostWebhook) -> AsyncIterator[None]:
    """Webhooks are sent while the block runs."""
    sending = asyncio.create_task(emulator.run(post))
    try:
        yield
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending


async def _rest(request: web.Request) -> web.Response:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return json_answer(request.app[EMULATOR].too_large())
    return json_answer(
        await request.app[EMULATOR].rest.handle(
            request.method, request.path, query=request.query, headers=request.headers, body=body
        )
    )


async def _helium(request: web.Request) -> web.Response:
    emulator = request.app[EMULATOR]
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return _response(emulator.too_large())
    reply = await emulator.handle(query=request.query, headers=request.headers, body=body)
    if reply.dropped and request.transport is not None:
        request.transport.abort()
    return _response(reply)


async def _state(request: web.Request) -> web.Response:
    history = request.query.get("history") == "1"
    return _response(responses.as_json(request.app[EMULATOR].state(history=history)))


@guarded
async def _reset(request: web.Request) -> web.Response:
    request.app[EMULATOR].reset()
    return _response(responses.as_json({"reset": True}))


def _response(reply: HttpReply) -> web.Response:
    # a dropped reply has no status
    return web.Response(status=reply.status or 503, headers=reply.headers, body=reply.body)
