"""The page at `/`: what answers here, and where to go. It says nothing of learners or versions.

`installation` is for `pointsman doctor`, which sees by it whether an address leads here.
"""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler

from pointsman.sources.http.errors import json_response

#: path -> what is there
_PLACES = {
    "/xapi/about": "the versions of xAPI that are spoken here; players send to /xapi",
    "/readyz": "whether statements are taken now, and if not why",
    "/healthz": "whether the process runs",
    "/metrics": "numbers for Prometheus",
}
_WHAT = "pointsman takes what players say of their learners, and delivers it to the platform."
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>pointsman</title>
<style>
body {{ margin: 2rem auto; max-width: 40rem; padding: 0 1rem; font: 1rem/1.6 sans-serif }}
</style>
<h1>pointsman</h1>
<p>{what}</p>
<ul>
{places}
</ul>
<p>On the machine it runs on, <code>pointsman check</code> says what it is set up to do, and
<code>pointsman verify</code> what became of all that came in.</p>
</html>
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def home(paths: Collection[str], public_path: str = "", installation: str = "") -> Handler:
    """HTML for a browser, JSON for the rest, of those of `paths` that are to be shown.

    `public_path` is what a proxy takes away.
    """
    here = {path: what for path, what in _PLACES.items() if path in paths}
    places = {f"{public_path}{path}": what for path, what in here.items()}
    # relative, so that they hold wherever the page was found
    links = "\n".join(
        f'<li><a href="{path.removeprefix("/")}">{public_path}{path}</a>: {what}'
        for path, what in here.items()
    )

    async def handle(request: web.Request) -> web.Response:
        if "text/html" not in request.headers.get("Accept", ""):
            return json_response({"what": _WHAT, "places": places, "installation": installation})
        return web.Response(
            text=_PAGE.format(what=_WHAT, places=links),
            content_type="text/html",
            headers={"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"},
        )

    return handle
