"""What the platform says: logging in, reading progress back, and comparing it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from demo.scenario import (
    API_KEY,
    HEARTBEAT_COURSE,
    HEARTBEAT_TOPICS,
    PASSWORD,
    PLAYER_COURSE,
    PLAYER_TOPIC,
)
from demo.traffic import Expected

_COURSES = {PLAYER_COURSE: (PLAYER_TOPIC,), HEARTBEAT_COURSE: HEARTBEAT_TOPICS}
_AT_ONCE = 8
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One learner and course: what must be there, and what is."""

    learner: str
    course: str
    expected: dict[str, int]
    found: dict[str, int]
    expected_percent: int
    found_percent: int
    expected_done: tuple[str, ...]
    found_done: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return (self.expected, self.expected_percent, self.expected_done) == (
            self.found,
            self.found_percent,
            self.found_done,
        )


async def log_in(url: str, learners: Sequence[str]) -> dict[str, str]:
    """An authToken for each learner, from the platform's own Login."""
    query = "mutation Login($e: String!, $p: String!) { Login(email: $e, password: $p) }"

    async def one(session: aiohttp.ClientSession, email: str) -> tuple[str, str]:
        data = await _ask(session, url, query, {"e": email, "p": PASSWORD})
        return email, data["Login"]

    async with _session() as session:
        return dict(await _few_at_once([one(session, email) for email in learners]))


async def compare(url: str, tokens: Mapping[str, str], expected: Expected) -> list[Row]:
    """Read every learner's progress back from the platform, in one request each."""
    query = (
        "query Back($id: ID!) { UserCourseProgress(id: $id) { percentComplete } "
        "PagesCompletedByCourse(courseId: $id) { ... on PageEntity { id } } }"
    )
    courses = sorted(
        {
            (who, course)
            for who, topic in expected
            for course in _COURSES
            if topic in _COURSES[course]
        }
    )

    async with _session() as session:
        async with session.get(f"{url}/emulator/state") as answer:
            state = (await answer.json())["learners"]

        async def one(who: str, course: str) -> Row:
            topics = _COURSES[course]
            data = await _ask(
                session, f"{url}/helium", query, {"id": f"course-{course}"}, tokens[who]
            )
            wanted = {one: expected[who, one] for one in topics if (who, one) in expected}
            found = {
                one: percent
                for one, percent in state.get(who, {}).get("topics", {}).items()
                if one in topics
            }
            return Row(
                who,
                course,
                wanted,
                found,
                sum(wanted.values()) // len(topics),
                data["UserCourseProgress"]["percentComplete"],
                tuple(sorted(one for one, percent in wanted.items() if percent == 100)),
                tuple(sorted(page["id"] for page in data["PagesCompletedByCourse"])),
            )

        return await _few_at_once([one(who, course) for who, course in courses])


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))


async def _ask(
    session: aiohttp.ClientSession,
    url: str,
    query: str,
    variables: Mapping[str, Any],
    token: str | None = None,
) -> dict[str, Any]:
    """One GraphQL request, waiting where the platform says so."""
    headers = {"authToken": token} if token else {}
    while True:
        async with session.post(
            url,
            params={"apiKey": API_KEY},
            headers=headers,
            json={"query": query, "variables": variables},
        ) as answer:
            if answer.status == 429:
                await asyncio.sleep(float(answer.headers["Retry-After"]))
                continue
            payload = await answer.json()
            if payload.get("errors"):
                raise RuntimeError(f"the platform refused {query!r}: {payload['errors']}")
            data: dict[str, Any] = payload["data"]
            return data


async def _few_at_once(work: Sequence[Awaitable[T]]) -> list[T]:
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(job: Awaitable[T]) -> T:
        async with slots:
            return await job

    return list(await asyncio.gather(*(one(job) for job in work)))
