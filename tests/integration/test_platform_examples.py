"""The reference page's example documents, unchanged, against the emulator over HTTP.

Each answer must have the shape that the page shows: the same keys, the same types, and something
in every list that has something in it there.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pointsman.domain.clock import SystemClock
from pointsman.emulator import Emulator, builtin_catalogue
from pointsman.emulator.server import serve

KEY = "the-key"
JANE = "jane.learner@example.com"
EXAMPLES = json.loads(
    (Path(__file__).parent.parent / "data/platform/examples.json").read_text("utf-8")
)


@dataclass
class Platform:
    emulator: Emulator
    url: str
    session: aiohttp.ClientSession

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the API answers Jane."""
        async with self.session.post(
            f"{self.url}/helium",
            params={"apiKey": KEY},
            headers={"authToken": self.emulator.issue_token(JANE)},
            json={"query": query, "variables": variables},
        ) as answer:
            assert answer.status == 200, await answer.text()
            payload: dict[str, Any] = await answer.json()
            return payload

    async def complete(self, *topics: str) -> None:
        for topic in topics:
            payload = await self.ask(
                "mutation ($t: ID!) { UpdateTopicAndCourseProgress(topicId: $t, progress: 100) }",
                t=topic,
            )
            assert "errors" not in payload


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    """Jane has done what the page's answers show."""
    emulator = Emulator(builtin_catalogue(), api_key=KEY, clock=SystemClock())
    async with (
        serve(emulator, host="127.0.0.1", port=0) as url,
        aiohttp.ClientSession() as session,
    ):
        world = Platform(emulator, url, session)
        await world.complete("page_text_001", "page_video_002", "page_quiz_003")
        await world.ask('mutation { UpdateCourseStatus(id: "course_abc123", status: "completed") }')
        await world.complete("page_text_201", "page_notebook_202")
        await world.complete("topic_101", "topic_102", "topic_789")
        yield world


def misfits(shown: Any, found: Any, at: str = "data") -> list[str]:
    """Where `found` has another shape than the page's `shown`, whose nulls may be anything."""
    if shown is None:
        return []
    if type(shown) is not type(found):
        return [f"{at}: {type(shown).__name__} on the page, {found!r} here"]
    if isinstance(shown, dict):
        wrong = [f"{at}: {name} is on one side only" for name in shown.keys() ^ found.keys()]
        both = shown.keys() & found.keys()
        return wrong + [one for name in both for one in misfits(shown[name], found[name], name)]
    if isinstance(shown, list):
        if len(found) < len(shown):
            return [f"{at}: {len(shown)} on the page, {len(found)} here"]
        pairs = zip(shown, _alike(shown, found), strict=True)
        return [misfit for one, other in pairs for misfit in misfits(one, other, at)]
    return []


def _alike(shown: list[Any], found: list[Any]) -> list[Any]:
    """For each that the page shows one of ours: of the same type in a union, else in its place."""
    by_type = {one.get("__typename"): one for one in found if isinstance(one, dict)}
    return [
        by_type.get(one["__typename"]) if isinstance(one, dict) and "__typename" in one else other
        for one, other in zip(shown, found, strict=False)
    ]


@pytest.mark.parametrize("example", EXAMPLES, ids=[one["operation"] for one in EXAMPLES])
async def test_the_pages_example_is_answered_in_the_pages_shape(
    platform: Platform, example: dict[str, Any]
) -> None:
    if example["operation"].startswith("ReinstateUser"):
        archive = example["operation"].replace("Reinstate", "Archive")
        await platform.ask(f'mutation {{ {archive}(id: "{example["variables"]["id"]}") }}')
    payload = await platform.ask(example["document"], **example["variables"])
    assert "errors" not in payload
    assert misfits(example["data"], payload["data"]) == []


async def test_milestone_completions_are_empty_without_a_learner(platform: Platform) -> None:
    (example,) = [one for one in EXAMPLES if one["operation"].startswith("CurrentUser")]
    async with platform.session.post(
        f"{platform.url}/helium",
        params={"apiKey": KEY},
        json={"query": example["document"], "variables": example["variables"]},
    ) as answer:
        assert (await answer.json())["data"] == {example["operation"]: []}


def test_all_fifteen_are_there() -> None:
    assert len({one["operation"] for one in EXAMPLES}) == 15


def test_a_misfit_is_found() -> None:
    shown = {"a": [{"b": 1, "c": None}], "d": "x"}
    assert misfits(shown, {"a": [{"b": 2, "c": "y"}], "d": "z"}) == []
    assert misfits(shown, {"a": [], "d": "z"}) == ["a: 1 on the page, 0 here"]
    assert misfits(shown, {"a": [{"b": "2", "c": 1}], "d": "z"}) == ["b: int on the page, '2' here"]
    assert misfits(shown, {"a": [{"b": 2}], "d": "z"}) == ["a: c is on one side only"]
