"""The operator's page without a browser: who gets in, who may change what, and what forms need."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from demo.processes import free_port
from pointsman.sources.http.routes import UI
from tests.support.running_daemon import Running, running

KEY, LOOK = "the-operators-own-key-ben", "the-viewers-own-key-desk"
CONFIG = """
[http.operator]
port = {port}
keys = [
  {{ name = "ben", key = "{key}" }},
  {{ name = "desk", role = "viewer", key = "{look}" }},
]
[[rules]]
name = "courses"
activity = "https://content.example.com/{{topic}}"
topic_id = "{{topic}}"
"""
PAGES = [route.path for name, route in UI.items() if name not in {"static", "login", "logout"}]


@dataclass
class Page:
    """The page, as one browser sees it."""

    run: Running
    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.url + path) as answer:
            return answer.status, await answer.text()

    async def post(self, path: str, fields: dict[str, str]) -> tuple[int, str]:
        async with self.session.post(self.url + path, data=fields) as answer:
            return answer.status, await answer.text()

    async def sign_in(self, key: str) -> int:
        async with self.session.post(
            f"{self.url}/ui/login", data={"key": key}, allow_redirects=False
        ) as answer:
            if answer.status == 303:
                cookie = answer.headers["Set-Cookie"]
                assert "HttpOnly" in cookie
                assert "SameSite=Strict" in cookie
                assert "Path=/ui" in cookie
            return answer.status

    async def csrf(self) -> str:
        _, text = await self.get("/ui/activity")
        found = re.search(r'name="csrf" value="(\w+)"', text)
        assert found is not None
        return found[1]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Page]:
    port = free_port()
    rules = CONFIG.format(port=port, key=KEY, look=LOOK)
    jar = aiohttp.CookieJar(unsafe=True)  # an address of digits
    async with (
        running(folder, rules) as run,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        yield Page(run, f"http://127.0.0.1:{port}", session)


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with opened(tmp_path) as found:
        yield found


async def test_nobody_sees_anything_without_a_key(page: Page) -> None:
    for path in PAGES:
        status, text = await page.get(path)
        assert status == 401, path
        assert "Operator key" in text
    assert await page.sign_in("wrong") == 401
    assert await page.sign_in(f" {KEY}\r\n") == 303
    page.session.cookie_jar.clear()
    assert (await page.get("/ui/static/app.css"))[0] == 200
    assert (await page.get("/ui/static/page.py"))[0] == 404
    async with page.session.get(f"{page.run.url}/ui") as answer:
        assert answer.status == 404  # not on the players' port


async def test_each_page_is_shown_under_a_strict_policy(page: Page) -> None:
    assert await page.sign_in(KEY) == 303
    for path in PAGES:
        if path == UI["events"].path:
            continue
        async with page.session.get(page.url + path) as answer:
            text = await answer.text()
            assert answer.status == 200, text
            policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "<style" not in text
        assert not re.search(r"<script(?! src)|\son\w+=|\sstyle=", text)


async def test_many_who_look_at_once_see_the_same_numbers(page: Page) -> None:
    await page.sign_in(KEY)
    for path in ("/ui", "/ui/dead-letters?number=99999999999999999999"):
        answers = await asyncio.gather(*(page.get(path) for _ in range(5)))
        assert {status for status, _ in answers} == {200}


async def test_a_form_of_another_page_changes_nothing(page: Page) -> None:
    await page.sign_in(KEY)
    pause = {"do": "pause", "reason": "forged"}
    assert (await page.post("/ui/delivery", pause))[0] == 403
    assert (await page.post("/ui/delivery", {**pause, "csrf": "0" * 64}))[0] == 403
    good = {**pause, "csrf": await page.csrf()}
    foreign: tuple[dict[str, str], ...] = (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    )
    for headers in foreign:
        for path in ("/ui/delivery", "/ui/login", "/ui/logout"):
            fields = {**good, "key": KEY}
            async with page.session.post(page.url + path, data=fields, headers=headers) as answer:
                assert answer.status == 403, (path, headers)
    assert await page.run.daemon.parts.store.pauses() == []
    # one that sends none of these headers, as before, needs the token of its session
    assert (await page.post("/ui/delivery", good))[0] == 200
    (made,) = await page.run.daemon.parts.store.pauses()
    assert made.reason == "forged"
    (action,) = await page.run.daemon.parts.store.operator_actions(limit=9)
    assert (action.who, action.origin) == ("ben", "127.0.0.1, the page")
    # every part of the daemon says so, once the loop has seen it
    ready = ""
    while "paused" not in ready:
        status, ready = await page.get("/readyz")
        assert status == 200
    assert '"delivery":"delivery is paused: forged"' in ready
    assert 'pointsman_delivery_paused{what="all"} 1.0' in (await page.get("/metrics"))[1]


async def test_a_viewer_sees_all_and_changes_nothing(page: Page) -> None:
    await page.sign_in(LOOK)
    csrf = await page.csrf()
    for name, route in UI.items():
        if "POST" in route.methods and name not in {"login", "logout"}:
            status, text = await page.post(route.path, {"csrf": csrf, "do": "pause"})
            assert status == 403, text
            assert "role viewer" in text
        if name not in {"login", "logout", "static", "events"}:
            _, text = await page.get(route.path)
            assert text.count('method="post"') == 1  # signing out
    assert await page.run.daemon.parts.store.operator_actions(limit=9) == []


async def test_an_unknown_choice_is_refused_and_means_not_all(page: Page) -> None:
    await page.sign_in(KEY)
    csrf = await page.csrf()
    for path, fields in (
        ("/ui/delivery", {"do": "pause", "kind": "topic"}),
        ("/ui/delivery", {"do": "resume", "kind": "TOPIC_PROGRESS"}),
        ("/ui/parked", {"do": "retry", "code": "no-token"}),
    ):
        status, text = await page.post(path, {"csrf": csrf, **fields})
        assert (status, "nothing was done" in text) == (400, True), path
    for path in ("/ui/parked?code=x", "/ui/activity?kind=x"):
        assert (await page.get(path))[0] == 400
    assert await page.run.daemon.parts.store.pauses() == []
    assert await page.run.daemon.parts.store.operator_actions(limit=9) == []
    nobody = {"csrf": csrf, "do": "export", "learner": "nobody@example.com"}
    assert "holds nothing of this person" in (await page.post("/ui/people", nobody))[1]


async def test_a_session_ends_with_signing_out_and_who_guesses_has_to_wait(page: Page) -> None:
    await page.sign_in(KEY)
    csrf = await page.csrf()
    assert (await page.post("/ui/logout", {"csrf": csrf}))[0] == 200
    assert (await page.get("/ui"))[0] == 401
    statuses = [await page.sign_in(f"guess {number}") for number in range(40)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    # whose key was good from here goes on
    assert await page.sign_in(KEY) == 303


async def test_what_somebody_wrote_is_text_and_no_markup(page: Page) -> None:
    await page.sign_in(KEY)
    markup = "<script>alert(1)</script>"
    form = {"csrf": await page.csrf(), "do": "pause", "reason": markup}
    await page.post("/ui/delivery", form)
    for path in ("/ui", "/ui/delivery", "/ui/activity", f"/ui/story?q={markup}"):
        _, text = await page.get(path)
        assert "alert(1)" in text
        assert markup not in text


async def test_a_course_is_found_with_its_learners(page: Page) -> None:
    await page.sign_in(KEY)
    status, text = await page.get("/ui/story?q=no-such-course")
    assert (status, "Nothing is known of this course" in text) == (200, True)


async def test_events_carry_the_numbers_of_now(page: Page) -> None:
    await page.sign_in(KEY)
    async with page.session.get(f"{page.url}/ui/events") as answer:
        assert answer.content_type == "text/event-stream"
        line = await answer.content.readline()
    assert line.startswith(b'data: {"paused": []')


async def test_a_person_is_handed_out_and_forgotten(page: Page) -> None:
    await page.sign_in(KEY)
    await page.run.say("completed", "https://content.example.com/topic_demo_1", "ana@example.com")
    form = {"csrf": await page.csrf(), "learner": "ana@example.com"}
    async with page.session.post(f"{page.url}/ui/people", data={**form, "do": "export"}) as answer:
        assert answer.content_type == "application/json"
        assert (await answer.json())["statements"]
    _, text = await page.post("/ui/people", {**form, "do": "forget", "confirm": "ana"})
    assert "Nothing was erased" in text
    await page.post("/ui/people", {**form, "do": "forget", "confirm": "ana@example.com"})
    async with page.session.get(f"{page.url}/ui/people") as answer:
        assert answer.status == 200
    while "not proved" not in text and "records erased" not in text:
        _, text = await page.get("/ui/people")
    assert "not proved" not in text
