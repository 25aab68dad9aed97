"""Behind nginx with TLS and a path prefix: every address that is handed out can be called."""

from __future__ import annotations

import json
import ssl
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from aiohttp import ClientResponse

from demo.processes import free_port
from tests.support.http_endpoint import basic
from tests.support.launch_client import ANA, COURSE, OPERATOR, Launching, launching
from tests.support.nginx import nginx

PREFIX = "/lrs"
SOURCE = {"Authorization": basic("user:secret"), "X-Experience-API-Version": "1.0.3"}


@dataclass(slots=True)
class Outside:
    """The daemon as the world sees it: `base` is its public_url."""

    launching: Launching
    base: str
    trust: ssl.SSLContext

    async def call(self, method: str, url: str, **more: Any) -> ClientResponse:
        """Of an address, or of a path below the server; the answer with its body read."""
        address = urljoin(self.base, url)
        async with self.launching.run.session.request(
            method, address, ssl=self.trust, allow_redirects=False, **more
        ) as answer:
            await answer.read()
            return answer

    async def launch(self, kind: str, **asked: Any) -> dict[str, Any]:
        body = {
            "kind": kind,
            "learner": ANA,
            "activity": COURSE,
            "authToken": self.launching.token(ANA),
            "url": "https://cdn.example.com/a",
            **asked,
        }
        answer = await self.call(
            "POST", f"{self.base}/launches", json=body, headers={"Authorization": OPERATOR}
        )
        assert answer.status == 201
        launch: dict[str, Any] = await answer.json()
        return launch


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Outside]:
    port, behind = free_port(), free_port()
    base = f"https://127.0.0.1:{port}{PREFIX}"
    async with (
        launching(tmp_path, port=behind, public_url=f"{base}/") as inside,
        nginx(tmp_path / "nginx", port, behind, PREFIX) as trust,
    ):
        yield Outside(inside, base, trust)


def addresses(value: Any) -> list[str]:
    """Every address of this server in an answer, those in a launch address among them."""
    if isinstance(value, dict):
        return [found for inner in value.values() for found in addresses(inner)]
    if isinstance(value, str) and value.startswith("https://cdn.example.com/"):
        named = [inner for values in parse_qs(urlsplit(value).query).values() for inner in values]
        return [found for inner in named for found in addresses(inner)]
    return [value] if isinstance(value, str) and value.startswith("https://127.0.0.1") else []


def statement() -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "actor": {"mbox": f"mailto:{ANA}"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
        "object": {"id": COURSE},
    }


@pytest.mark.parametrize("kind", ["xapi", "cmi5", "scorm"])
async def test_every_address_of_a_launch_has_the_prefix(outside: Outside, kind: str) -> None:
    launch = await outside.launch(kind)
    handed_out = addresses(launch)
    assert handed_out
    assert all(address.startswith(f"{outside.base}/") for address in handed_out)


async def test_all_pages_of_a_query_are_read_by_following_more(outside: Outside) -> None:
    statements = [statement() for _ in range(5)]
    sent = await outside.call(
        "POST", f"{outside.base}/xapi/statements", json=statements, headers=SOURCE
    )
    assert sent.status == 200
    found: list[str] = []
    url = f"{outside.base}/xapi/statements?limit=2"
    while url:
        answer = await outside.call("GET", url, headers=SOURCE)
        assert answer.status == 200
        page = await answer.json()
        found += [each["id"] for each in page["statements"]]
        url = page["more"] and urljoin(url, page["more"])
    assert sorted(found) == sorted(each["id"] for each in statements)


async def test_a_launched_player_reads_and_writes_at_its_endpoint(outside: Outside) -> None:
    launch = await outside.launch("xapi")
    headers = {"Authorization": launch["authorization"], "X-Experience-API-Version": "1.0.3"}
    said = {**statement(), "actor": launch["actor"]}
    url = f"{launch['endpoint']}statements"
    assert (await outside.call("POST", url, json=said, headers=headers)).status == 200
    query = "?method=GET"
    form = {**headers, "statementId": said["id"]}
    answer = await outside.call("POST", url + query, data=form)
    assert (await answer.json())["id"] == said["id"]


async def test_a_cmi5_player_fetches_its_credential(outside: Outside) -> None:
    launch = await outside.launch("cmi5")
    answer = await outside.call("POST", launch["fetchUrl"])
    assert "auth-token" in await answer.json()


async def test_a_scorm_player_reads_and_commits(outside: Outside) -> None:
    launch = await outside.launch("scorm")
    commit = {"cmi": {"core": {"lesson_status": "incomplete"}, "suspend_data": "half"}}
    taken = await outside.call("POST", launch["commitUrl"], data=json.dumps(commit))
    assert (await taken.json())["result"] is True
    data = await (await outside.call("GET", launch["dataUrl"])).json()
    assert data["cmi"] == commit["cmi"]


async def test_the_etag_that_a_compressing_proxy_made_weak_still_matches(outside: Outside) -> None:
    agent = json.dumps({"mbox": f"mailto:{ANA}"})
    url = f"{outside.base}/xapi/agents/profile"
    params = {"agent": agent, "profileId": "p"}
    first = {**SOURCE, "If-None-Match": "*", "Content-Type": "application/json"}
    stored = await outside.call("PUT", url, params=params, json={"a": "b" * 500}, headers=first)
    assert stored.status == 204
    read = await outside.call(
        "GET", url, params=params, headers={**SOURCE, "Accept-Encoding": "gzip"}
    )
    etag = read.headers["ETag"]
    assert etag.startswith("W/")
    again = await outside.call(
        "PUT", url, params=params, json={"a": 2}, headers={**SOURCE, "If-Match": etag}
    )
    assert again.status == 204


async def test_the_places_that_the_first_page_names_can_be_called(outside: Outside) -> None:
    places = (await (await outside.call("GET", f"{outside.base}/")).json())["places"]
    assert places
    for place in places:
        assert (await outside.call("GET", place)).status == 200
