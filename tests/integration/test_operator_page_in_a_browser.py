"""An operator walks the page in a real Chromium, axe looks at every page; the docs get pictures.

One walk, for each step needs what the one before it did. POINTSMAN_TEST_PICTURES=1 writes the
pictures of docs/images anew.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page, async_playwright, expect

from demo.processes import PATIENCE, free_port
from pointsman import wiring
from pointsman.domain.clock import SystemClock
from pointsman.domain.log_positions import Position
from pointsman.platforms.tokens.vault import new_key
from pointsman.sources.batch import LogMessage
from tests.support import browser
from tests.support.launch_client import OPERATOR, Launching
from tests.support.running_daemon import ADL, Running, running

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SITE = "https://content.example.com"
KEY, LOOK = "the-operators-own-key-ben", "the-viewers-own-key-desk"
CONFIG = """
[http.operator]
port = {port}
keys = [
  {{ name = "ben", key = "{key}" }},
  {{ name = "desk", role = "viewer", key = "{look}" }},
]
[launches]
public_url = "http://127.0.0.1:1"
operators = [{{ key = "operator", secret = "operator-secret" }}]
signing_key = "a-key-of-tests-that-is-long-enough"
[[rules]]
name = "topics of the site"
activity = "https://content.example.com/{{topic}}"
topic_id = "{{topic}}"
"""
PAGES = (
    *("/ui", "/ui/parked", "/ui/dead-letters", "/ui/dead-letters?number=1", "/ui/unmatched"),
    *("/ui/replay", "/ui/delivery", "/ui/activity", "/ui/people", "/ui/story"),
)
Scheme = Literal["light", "dark"]
_LOOKS: tuple[tuple[Scheme, int], ...] = (("light", 1200), ("dark", 390))
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


@dataclass
class Walk:
    """One browser at one daemon."""

    run: Running
    page: Page
    url: str

    async def go(self, path: str) -> None:
        await self.page.goto(self.url + path)

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).first.click()

    async def sees(self, words: str) -> None:
        await expect(self.page.get_by_text(words).first).to_be_visible(timeout=PATIENCE * 1000)

    async def has(self, words: str) -> None:
        """Look again until the page says it: what is awaited is on the platform."""
        async with asyncio.timeout(PATIENCE):
            while not await self.page.get_by_text(words).count():
                await asyncio.sleep(0.05)
                await self.page.reload()

    async def sign_in(self, key: str) -> None:
        await self.go("/ui/login")
        await self.page.get_by_label("Operator key").fill(key)
        await self.press("Sign in")

    async def axe(self) -> None:
        """Nothing that keeps people out, in light and in dark, on a screen and on a phone."""
        await self.page.evaluate(AXE_SCRIPT)
        for scheme, width in _LOOKS:
            await self.look(scheme, width)
            found = await self.page.evaluate("axe.run()")
            serious = [
                (one["id"], [node["target"] for node in one["nodes"]])
                for one in found["violations"]
                if one["impact"] in {"serious", "critical"}
            ]
            assert serious == [], (self.page.url, scheme)
            assert found["passes"]
            wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not await self.page.evaluate(wider), (self.page.url, width)

    async def look(self, scheme: Scheme, width: int) -> None:
        await self.page.emulate_media(color_scheme=scheme)
        await self.page.set_viewport_size({"width": width, "height": 640})

    async def picture(
        self, name: str, scheme: Scheme = "light", width: int = 1000, part: str = "body"
    ) -> None:
        """For the docs, when they are asked for; that it can be made is tried each time."""
        await self.look(scheme, width)
        folder = IMAGES if os.environ.get("POINTSMAN_TEST_PICTURES") else None
        path = None if folder is None else folder / f"{name}.png"
        if part == "body":
            shot = await self.page.screenshot(path=path)
        else:
            shot = await self.page.locator(part).screenshot(path=path)
        assert shot.startswith(b"\x89PNG")


@asynccontextmanager
async def walking(folder: Path) -> AsyncIterator[tuple[Walk, Browser]]:
    port, path = free_port(), browser.find()
    tokens = 'file = "tokens.json"\nencryption_key = "' + new_key() + '"'
    rules = CONFIG.format(port=port, key=KEY, look=LOOK)
    async with (
        running(folder, rules, tokens=tokens) as run,
        async_playwright() as playwright,
    ):
        chromium = await playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        page = await chromium.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("dialog", lambda dialog: dialog.accept())
        try:
            yield Walk(run, page, f"http://127.0.0.1:{port}"), chromium
        finally:
            await chromium.close()


async def dead_letter(run: Running) -> None:
    """Two statements in one message, of which its source took one at most then."""
    statements = [
        {
            "actor": {"mbox": "mailto:ana@example.com"},
            "verb": {"id": f"{ADL}completed"},
            "object": {"id": f"{SITE}/{topic}"},
        }
        for topic in ("topic_demo_1", "topic_demo_2")
    ]
    pipeline = wiring.pipeline(run.settings, run.daemon.parts.store, SystemClock())
    body, nowhere = json.dumps(statements).encode(), Position("", "", 0, 0)
    message = LogMessage("bus", body, "topic lessons", nowhere, max_statements=1)
    await pipeline.ingest([replace(pipeline.read_message(message), position=None)])


def mend(run: Running, name: str) -> None:
    """The platform gets the topic that was missing."""
    topics = run.emulator.catalogue.topic_by_id
    course, topic = topics["topic_demo_1"]
    topics[name] = (course, topic.model_copy(update={"id": name}))


async def test_an_operator_walks_the_page(tmp_path: Path) -> None:
    async with walking(tmp_path) as (walk, chromium):
        run = walk.run
        await run.say("completed", f"{SITE}/topic_demo_1", "ana@example.com")
        await run.say("completed", f"{SITE}/late_topic", "ben@example.com")
        await run.say("completed", "https://elsewhere.example.com/a", "ana@example.com")
        await dead_letter(run)
        await _looks_at_everything(walk)
        await _finds_a_learner_and_reads_why(walk)
        await _replays_a_dead_letter_after_a_dry_run(walk)
        await _frees_a_parked_topic(walk)
        await _pauses_and_resumes(walk)
        await _replays_after_seeing_what_would_change(walk)
        await _is_refused_as_a_viewer(walk)
        await _works_without_scripts(walk, chromium)
        await _a_learner_sees_the_receipt(walk)


async def _looks_at_everything(walk: Walk) -> None:
    await walk.go("/ui")
    await walk.axe()  # of the page to sign in
    await walk.sign_in(KEY)
    await walk.page.wait_for_selector('[data-alive="yes"]')
    await walk.has("topics of the site")
    await walk.picture("page-now")
    for path in PAGES:
        await walk.go(path)
        await walk.axe()


async def _finds_a_learner_and_reads_why(walk: Walk) -> None:
    await walk.go("/ui")
    await walk.page.get_by_label("Learner, statement id or course").fill("ben@example.com")
    await walk.press("Why?")
    await walk.has("is parked: refused: ")
    await walk.sees("What you can do")
    await walk.axe()
    await walk.picture("page-why")


async def _replays_a_dead_letter_after_a_dry_run(walk: Walk) -> None:
    await walk.go("/ui/dead-letters")
    await walk.press("Try: letter 1")
    await walk.sees("Tried, and nothing was changed: would be applied")
    assert await walk.run.daemon.parts.store.dead_letter(1) is not None
    await walk.press("Read it again: letter 1")
    await walk.sees("There are no dead letters.")


async def _frees_a_parked_topic(walk: Walk) -> None:
    await walk.go("/ui/parked")
    await walk.picture("page-parked", "dark")
    mend(walk.run, "late_topic")
    await walk.press("Retry all of these")
    await walk.sees("1 freed")
    await walk.go("/ui/story?learner=ben@example.com")
    await walk.has("topic late_topic = 100 % is delivered")


async def _pauses_and_resumes(walk: Walk) -> None:
    await walk.go("/ui/delivery")
    await walk.page.get_by_label("Why", exact=True).fill("the platform is moved")
    await walk.press("Pause")
    await walk.go("/ui")
    await walk.sees("Delivery is paused: the platform is moved")
    await walk.axe()
    await walk.page.get_by_role("link", name="Resume it").click()
    await walk.press("Resume all")
    await walk.sees("Nothing is paused.")


async def _replays_after_seeing_what_would_change(walk: Walk) -> None:
    await walk.go("/ui/replay")
    await walk.press("See what would change")
    await walk.sees("decided again")
    await walk.page.wait_for_selector('button:has-text("Replay the last 7 days")')
    await walk.press("Replay the last 7 days")
    await walk.sees("Replayed, the last 7 days")
    await walk.go("/ui/activity")
    for action in ("replay", "pause", "resume", "parked retry", "dead-letters replay"):
        await expect(walk.page.get_by_role("cell", name=action, exact=True).first).to_be_visible()


async def _is_refused_as_a_viewer(walk: Walk) -> None:
    await walk.go("/ui/delivery")
    form = await walk.page.locator('input[name="csrf"]').first.input_value()
    await walk.press("Sign out")
    await walk.sign_in(LOOK)
    await walk.go("/ui/delivery")
    assert not await walk.page.get_by_role("button", name="Pause", exact=True).count()
    # with a form that is theirs, and with one of another session
    theirs = await walk.page.locator('input[name="csrf"]').first.input_value()
    for token in (theirs, form):
        answer = await walk.page.request.post(
            f"{walk.url}/ui/delivery", form={"csrf": token, "do": "pause"}
        )
        assert answer.status == 403
    assert await walk.run.daemon.parts.store.pauses() == []


async def _works_without_scripts(walk: Walk, chromium: Browser) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    plain = Walk(walk.run, await context.new_page(), walk.url)
    await plain.sign_in(KEY)
    await plain.sees("topics of the site")
    await plain.go("/ui/delivery")
    await plain.press("Pause")
    await plain.press("Resume all")
    await plain.sees("Nothing is paused.")
    await context.close()


async def _a_learner_sees_the_receipt(walk: Walk) -> None:
    launching = Launching(walk.run)
    launch: dict[str, Any] = await _launched(launching, walk.url)
    page = launch["receiptUrl"].replace("http://127.0.0.1:1", walk.run.url)
    await walk.page.goto(page)
    await walk.sees("Nothing has been received yet.")
    await launching.say(launch, "completed", f"{SITE}/topic_demo_3")
    await walk.sees("Your progress is saved, and the learning platform has it.")
    await walk.axe()
    await walk.picture("receipt", width=480, part="main")


async def _launched(launching: Launching, operators: str) -> dict[str, Any]:
    asked = {"learner": "ana@example.com", "activity": f"{SITE}/topic_demo_3"}
    asked |= {"topicId": "topic_demo_2"}
    async with launching.run.session.post(
        f"{operators}/launches", json=asked, headers={"Authorization": OPERATOR}
    ) as answer:
        launch: dict[str, Any] = await answer.json()
        return launch
