"""What docs/launches.md tells people to paste, pasted: the page, and the service behind it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from aiohttp.test_utils import TestServer

from pointsman.commands import with_store
from pointsman.domain.launch import launch_from_json
from pointsman.store.base import DocumentKey
from tests.support.browser import open_tab
from tests.support.launch_client import ANA, BEN, COURSE, launching

PAGE = (Path(__file__).parents[2] / "docs" / "launches.md").read_text(encoding="utf-8")


def snippet(language: str) -> str:
    """The last one: the page begins with pieces of HTML."""
    *_, block = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(block)


async def test_a_page_of_the_platform_starts_a_player(tmp_path: Path) -> None:
    async with launching(tmp_path) as world:
        token = world.token(ANA)

        async def platform(request: web.Request) -> web.Response:
            assert request.headers["authToken"] == token
            assert await request.json() == {"query": "{ CurrentUser { email } }"}
            return web.json_response({"data": {"CurrentUser": {"email": ANA}}})

        async def ask(address: str, **named: Any) -> tuple[int, dict[str, Any]]:
            async with world.run.session.post(f"{address}/launch", json=named) as answer:
                return answer.status, await answer.json()

        async def page(_request: web.Request) -> web.Response:
            icon = "<link rel=icon href='data:,'>"
            known = f"<script>var opened, pageContext = {{authToken: '{token}'}};"
            html = snippet("html").replace("https://launcher.example.com", launcher_url)
            kept = "window.open = (url) => { opened = url; };</script>"
            return web.Response(text=icon + known + kept + html, content_type="text/html")

        learn = web.Application()
        learn.router.add_post("/helium", platform)
        learn.router.add_get("/", page)
        async with TestServer(learn) as site:
            origin = str(site.make_url("")).rstrip("/")
            named: dict[str, Any] = {}
            code = (
                snippet("python")
                .replace("https://learn.example.com", origin)
                .replace("https://pointsman.example.com", world.url)
                .replace("page:operator-secret", "operator:operator-secret")
            )
            exec(code, named)  # noqa: S102 - it is what people are told to run
            async with TestServer(named["app"]) as launcher:
                launcher_url = str(launcher.make_url("")).rstrip("/")
                async with open_tab(tmp_path / "profile", origin) as tab:
                    await tab.until("document.querySelector('button') !== null")
                    await tab.run("document.querySelector('button').click()")
                    opened = urlsplit(await tab.until("opened"))
                    assert tab.errors == []
                hostile = {"learner": BEN, "actor": {"mbox": f"mailto:{BEN}"}, "mode": "Normal"}
                hostile |= {"topicId": "topic_demo_2", "courseId": "c", "activities": ["https:"]}
                asked = {"authToken": token, "activity": COURSE}
                status, launch = await ask(launcher_url, **asked, **hostile)
                unknown = await ask(launcher_url, **asked | {"activity": f"{COURSE}-2"})
            key = DocumentKey("launch", name=launch["registration"])
            document = await with_store(world.run.settings, lambda store: store.document(key))
    assert status == 201
    assert unknown[0] == 404
    assert document is not None
    saved = launch_from_json(document.content)
    assert (saved.learner, saved.actor.value) == (ANA, f"mailto:{ANA}")
    assert (saved.topic_id, saved.course, saved.activities) == ("topic_demo_1", "", ())
    assert (opened.netloc, opened.path) == ("cdn.example.com", "/intro/index.html")
    assert parse_qs(opened.query)["activity_id"] == ["https://content.example.com/intro"]
