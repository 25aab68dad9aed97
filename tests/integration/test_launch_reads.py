"""What a launched player can read: no data of others' attachments, none of others' statements.

And how much of the daemon its queries take: a hostile learner asked for 190 pages at once, and the
process grew to 4.6 GB.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pointsman.sources.http.lrs.answers_under_way import MOST_OF_LEARNER
from pointsman.sources.http.lrs.post_statements import PostStatements
from pointsman.sources.http.lrs.statement_search import SearchResult, StatementSearch
from pointsman.sources.parse_thread import LARGE
from pointsman.store.sqlite.documents import SqliteDocuments
from tests.support.launch_client import ANA, BEN, COURSE, Launching, launching

ESSAY = b"the essay that ben attached"
SHA2 = hashlib.sha256(ESSAY).hexdigest()
SOURCE = {
    "Authorization": aiohttp.encode_basic_auth("user", "secret"),
    "X-Experience-API-Version": "1.0.3",
    "Content-Type": "application/json",
}
ATTACHMENT = {
    "usageType": "https://content.example.com/essay",
    "display": {"en": "essay"},
    "contentType": "text/plain",
    "length": len(ESSAY),
    "sha2": SHA2,
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path) as running:
        yield running


def statement(actor: dict[str, Any], **more: Any) -> dict[str, Any]:
    verb = {"id": "https://content.example.com/verbs/noted"}
    return {
        "id": str(uuid.uuid4()),
        "actor": actor,
        "verb": verb,
        "object": {"id": COURSE},
        **more,
    }


async def attach(world: Launching, launch: dict[str, Any], said: dict[str, Any]) -> None:
    """Send a statement with the essay beside it."""
    with aiohttp.MultipartWriter("mixed") as writer:
        writer.append_json(said)
        headers = {
            "Content-Type": "text/plain",
            "Content-Transfer-Encoding": "binary",
            "X-Experience-API-Hash": SHA2,
        }
        writer.append(ESSAY, headers)
        status, body = await world.send(launch, "POST", "/xapi/statements", data=writer)
        assert status == 200, body


async def with_data(world: Launching, launch: dict[str, Any], statement_id: str) -> str:
    status, body = await world.send(
        launch,
        "GET",
        "/xapi/statements",
        params={"statementId": statement_id, "attachments": "true"},
    )
    assert status == 200, body
    return body


async def test_who_names_the_hash_of_anothers_attachment_gets_none_of_its_data(
    world: Launching,
) -> None:
    ana, ben = await world.launch(), await world.launch(learner=BEN)
    bens = statement(ben["actor"], attachments=[ATTACHMENT])
    await attach(world, ben, bens)
    claims = statement(
        ana["actor"], attachments=[{**ATTACHMENT, "fileUrl": "https://content.example.com/essay"}]
    )
    assert (await world.send(ana, "POST", "/xapi/statements", json=claims))[0] == 200
    assert ESSAY.decode() not in await with_data(world, ana, claims["id"])
    assert ESSAY.decode() in await with_data(world, ben, bens["id"])


async def test_a_player_finds_what_its_learner_said_and_nothing_that_others_said(
    world: Launching,
) -> None:
    ana = await world.launch()
    anas = statement(ana["actor"])
    assert (await world.send(ana, "POST", "/xapi/statements", json=anas))[0] == 200
    boss = {"mbox": "mailto:boss@example.com"}
    for who, what in (
        (ANA, {"actor": boss, "object": {"objectType": "StatementRef", "id": anas["id"]}}),
        (ANA, {"actor": boss, "object": {**ana["actor"], "objectType": "Agent"}}),
        (ANA, {"actor": {"objectType": "Group", "member": [ana["actor"], boss]}}),
    ):
        await world.run.say("mentioned", COURSE, who, **what)
    _, found = await world.send(ana, "GET", "/xapi/statements")
    assert [shown["id"] for shown in json.loads(found)["statements"]] == [anas["id"]]
    everything = await world.run.get("/xapi/statements")
    assert len(everything["statements"]) == 4


async def test_a_players_queries_wait_for_one_another_and_keep_nobody_waiting(
    world: Launching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one learner some answers are made and written at once, whatever it has of launches."""
    here = most = 0
    go_on = asyncio.Event()
    full = asyncio.Event()
    ask = SqliteDocuments.documents

    async def slow(*args: Any, **more: Any) -> Any:
        nonlocal here, most
        if ANA in args[1].agent:
            here += 1
            most = max(most, here)
            if here == MOST_OF_LEARNER:
                full.set()
            await go_on.wait()
            here -= 1
        return await ask(*args, **more)

    monkeypatch.setattr(SqliteDocuments, "documents", slow)

    async def state(launch: dict[str, Any]) -> int:
        params = {"activityId": COURSE, "agent": json.dumps(launch["actor"])}
        return (await world.send(launch, "GET", "/xapi/activities/state", params=params))[0]

    anas = [await world.launch() for _ in range(2)]
    ben = await world.launch(learner=BEN)
    many = [asyncio.create_task(state(anas[number % 2])) for number in range(20)]
    await full.wait()
    assert await state(ben) == 200
    assert most == MOST_OF_LEARNER
    go_on.set()
    assert set(await asyncio.gather(*many)) == {200}
    assert most == MOST_OF_LEARNER


async def test_a_few_searches_are_under_way_at_once(
    world: Launching, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = most = 0
    find = StatementSearch.find

    async def counted(*args: Any, **more: Any) -> SearchResult:
        nonlocal here, most
        here += 1
        most = max(most, here)
        await asyncio.sleep(0)
        try:
            return await find(*args, **more)
        finally:
            here -= 1

    monkeypatch.setattr(StatementSearch, "find", counted)
    launches = [
        await world.launch(learner=f"learner{number}@example.com", authToken="t")
        for number in range(6)
    ]
    asked = [world.send(launch, "GET", "/xapi/statements") for launch in launches]
    assert {status for status, _ in await asyncio.gather(*asked)} == {200}
    assert most <= 2


async def test_large_bodies_of_one_learner_are_taken_in_two_at_a_time(
    world: Launching, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = most = 0
    accept = PostStatements._accept

    async def counted(*args: Any) -> Any:
        nonlocal here, most
        here += 1
        most = max(most, here)
        await asyncio.sleep(0.01)
        here -= 1
        return await accept(*args)

    monkeypatch.setattr(PostStatements, "_accept", counted)
    launches = [await world.launch() for _ in range(2)]
    padding = {"extensions": {"https://content.example.com/padding": "x" * LARGE}}

    async def send(launch: dict[str, Any]) -> int:
        said = statement(launch["actor"], context=padding)
        return (await world.send(launch, "POST", "/xapi/statements", json=said))[0]

    assert set(await asyncio.gather(*(send(launches[n % 2]) for n in range(10)))) == {200}
    assert most == 2


async def test_json_that_post_merges_is_small_enough_to_parse_beside_all_else(
    world: Launching,
) -> None:
    """10 MB of it held up every other request for more than a second."""
    path = f"/xapi/activities/profile?activityId={COURSE}&profileId=p"

    async def send(method: str, size: int) -> int:
        content = BytesIO(json.dumps({"a": "x" * size}).encode())
        async with world.run.session.request(
            method, f"{world.url}{path}", data=content, headers={**SOURCE, "If-Match": "*"}
        ) as answer:
            return answer.status

    new = {**SOURCE, "If-None-Match": "*"}
    async with world.run.session.put(f"{world.url}{path}", data="{}", headers=new) as answer:
        assert answer.status == 204
    assert await send("POST", 1_000_000) == 204
    assert await send("POST", 1_100_000) == 413
    assert await send("PUT", 1_100_000) == 204
    assert await send("POST", 10) == 413
