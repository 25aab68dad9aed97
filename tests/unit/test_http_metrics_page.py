"""The metrics page: how often it asks the store."""

from __future__ import annotations

import asyncio

from aiohttp.test_utils import make_mocked_request

from pointsman.sources.http.metrics_page import FRESH, MetricsPage
from tests.support.manual_clock import ManualClock

OPEN_METRICS = "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"


class Rendering:
    """Counts the pages it renders."""

    def __init__(self) -> None:
        self.accepted: list[str] = []

    async def render(self, accept: str) -> tuple[bytes, str]:
        self.accepted.append(accept)
        await asyncio.sleep(0)
        return f"page {len(self.accepted)}".encode(), "text/plain; version=0.0.4"


async def asked(page: MetricsPage, accept: str = "") -> str:
    answer = await page.get(make_mocked_request("GET", "/metrics", headers={"Accept": accept}))
    assert isinstance(answer.body, bytes)
    return answer.body.decode()


async def test_a_page_is_shown_again_for_a_second() -> None:
    clock, rendering = ManualClock(), Rendering()
    page = MetricsPage(rendering.render, clock)

    shown = [await asked(page), await asked(page)]
    clock.advance(FRESH - 0.001)
    shown.append(await asked(page))
    clock.advance(0.001)
    shown.append(await asked(page))

    assert shown == ["page 1", "page 1", "page 1", "page 2"]


async def test_those_who_ask_at_once_wait_for_one_page() -> None:
    rendering = Rendering()
    page = MetricsPage(rendering.render, ManualClock())

    shown = await asyncio.gather(*(asked(page) for _ in range(20)))

    assert set(shown) == {"page 1"}


async def test_whatever_is_accepted_there_are_two_pages() -> None:
    rendering = Rendering()
    page = MetricsPage(rendering.render, ManualClock())

    for number in range(50):
        await asked(page, f"text/plain; version={number}")
        await asked(page, f"{OPEN_METRICS}; n={number}")

    assert rendering.accepted == ["", "application/openmetrics-text; version=1.0.0"]
