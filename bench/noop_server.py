"""The reference of HTTP intake: an aiohttp handler that reads a body, answers, and does no more.

`python -m bench.noop_server PORT`. It runs as the daemon does: on uvloop, without an access log.
"""

from __future__ import annotations

import sys

import uvloop
from aiohttp import web


async def _statements(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=b'["0"]', content_type="application/json")


async def _up(_request: web.Request) -> web.Response:
    return web.Response()


def main() -> None:
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/xapi/statements", _statements)
    app.router.add_get("/readyz", _up)
    loop = uvloop.new_event_loop()
    web.run_app(
        app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, loop=loop, print=None
    )


if __name__ == "__main__":
    main()
