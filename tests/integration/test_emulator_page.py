"""The emulator's page: what it is made of, and in a real browser that can reach nothing else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from pointsman.domain.clock import SystemClock
from pointsman.emulator import Emulator, builtin_catalogue
from pointsman.emulator.server import serve
from tests.support.browser import Tab, open_tab

KEY = "the-key"


@pytest.fixture
async def emulator() -> AsyncIterator[tuple[Emulator, str]]:
    made = Emulator(builtin_catalogue(), api_key=KEY, clock=SystemClock())
    async with serve(made, host="127.0.0.1", port=0) as url:
        yield made, url


async def test_the_page_and_all_it_names_come_from_here(emulator: tuple[Emulator, str]) -> None:
    _, url = emulator
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/") as answer:
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            page = await answer.text()
        names = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert len(names) == 7
        for name in names:
            assert "//" not in name
            async with session.get(f"{url}/{name}") as answer:
                assert answer.status == 200
                assert len(await answer.read()) > 100
        async with session.get(f"{url}/graphiql/LICENSE.react") as answer:
            assert answer.status == 404


async def give_key(tab: Tab, key: str) -> None:
    await tab.until("document.getElementById('ask-key')?.hidden === false")
    await tab.run(
        f"(document.getElementById('key').value = {key!r},"
        " document.querySelector('#ask-key button').click())"
    )


async def test_the_page_asks_for_the_key_and_says_when_it_is_wrong(
    emulator: tuple[Emulator, str], tmp_path: Path
) -> None:
    _, url = emulator
    async with open_tab(tmp_path / "profile", f"{url}/") as tab:
        await tab.until("document.getElementById('ask-key')?.hidden === false")
        assert not [one for one in tab.requested if "helium" in one], "nothing is asked in vain"
        assert not await tab.run("!!document.querySelector('.graphiql-container')")
        await give_key(tab, "another")
        await tab.until("document.getElementById('key-error').textContent.includes('apiKey')")
        await give_key(tab, KEY)
        await tab.until("!!document.querySelector('.graphiql-execute-button')")
        tabs = (
            "[...document.querySelectorAll('.graphiql-tab-button')].map((one) => one.textContent)"
        )
        assert await tab.run(tabs) == ["RecordProgress", "CourseProgress", "LearningPath"]
        await tab.run("location.reload()")
        await tab.until("!!document.querySelector('.graphiql-execute-button')")


async def test_a_person_logs_in_and_records_progress_in_a_browser(
    emulator: tuple[Emulator, str], tmp_path: Path
) -> None:
    platform, url = emulator
    async with open_tab(tmp_path / "profile", f"{url}/") as tab:
        await give_key(tab, KEY)
        await tab.until("!!document.querySelector('.graphiql-execute-button')")
        await tab.run("document.querySelector('#login button').click()")
        await tab.until("document.getElementById('who').textContent.includes('ana@example.com')")
        await tab.run("document.querySelector('.graphiql-execute-button').click()")
        await tab.until(
            "document.querySelector('.result-window').textContent"
            ".includes('\"UpdateTopicAndCourseProgress\": true')"
        )
        topics = platform.state()["learners"]["ana@example.com"]["topics"]
        assert topics == {"topic_demo_1": 62}
        asked = {urlsplit(one).netloc for one in tab.requested if one.startswith("http")}
        assert asked == {urlsplit(url).netloc}
        assert [one for one in tab.errors if "favicon" not in one] == []
