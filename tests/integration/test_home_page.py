"""The daemon's `/`: what answers here and where to go, for people and for programs."""

from __future__ import annotations

import re
from pathlib import Path

import pointsman
from tests.support.http_endpoint import running

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


async def test_a_browser_gets_a_page_whose_links_lead_somewhere(tmp_path: Path) -> None:
    async with running(tmp_path) as endpoint:
        answer = await endpoint.client.get("/", headers={"Accept": BROWSER})
        page = await answer.text()
        links = re.findall(r'href="([^"]+)"', page)
        statuses = {link: (await endpoint.client.get(f"/{link}")).status for link in links}

    assert answer.status == 200
    assert answer.content_type == "text/html"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert statuses == dict.fromkeys(["xapi/about", "readyz", "healthz", "metrics"], 200)


async def test_a_program_gets_json(tmp_path: Path) -> None:
    async with running(tmp_path) as endpoint:
        answer = await endpoint.client.get("/")
        shown = await answer.json()

    assert answer.status == 200
    assert "/xapi/about" in shown["places"]


async def test_the_page_tells_no_version_and_nothing_of_learners(tmp_path: Path) -> None:
    async with running(tmp_path) as endpoint:
        await endpoint.post(
            {
                "actor": {"mbox": "mailto:ana@example.com"},
                "verb": {"id": "http://example.com/v"},
                "object": {"id": "http://example.com/course/1"},
            }
        )
        for accept in (BROWSER, "*/*"):
            answer = await endpoint.client.get("/", headers={"Accept": accept})
            text = await answer.text()

            assert pointsman.__version__ not in text
            assert "ana@example.com" not in text
            assert answer.headers["Server"] == "pointsman"
