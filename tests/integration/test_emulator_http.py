"""The emulator over real HTTP, with the examples of the platform's reference page as they stand."""

from __future__ import annotations

import asyncio
import io
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from demo.processes import PATIENCE
from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import ConfigError
from pointsman.emulator import Emulator, builtin_catalogue
from pointsman.emulator.server import serve

KEY = "instance-key"

UPDATE_TOPIC = """mutation UpdateTopicAndCourseProgress {
UpdateTopicAndCourseProgress(
topicId: "tpc_01HX3Q4R5S6T7U8V"
progress: 100
)
}"""

UPDATE_COURSE = """mutation UpdateCourseStatus {
UpdateCourseStatus(
slug: "intro-to-graphql"
status: "completed"
statusChangeDate: "2024-03-15T10:30:00Z"
)
}"""

COURSE_PROGRESS = """query UserCourseProgress {
UserCourseProgress(id: "course_abc123") {
totalViews
totalTime
percentComplete
}
}"""

COMPLETED_PAGES = """query PagesCompletedByCourse($courseId: ID!) {
PagesCompletedByCourse(courseId: $courseId) {
__typename
... on TextPage {
id
title
type
lessonId
updatedAt
}
... on QuizPage {
id
title
type
lessonId
updatedAt
minPassingPercent
}
... on VideoPage {
id
title
type
lessonId
updatedAt
asset
}
... on AssignmentPage {
id
title
type
lessonId
updatedAt
}
}
}"""

LOGIN = "mutation ($e: String!, $p: String!) { Login(email: $e, password: $p) }"
SET = "mutation ($t: ID!, $p: Int!) { UpdateTopicAndCourseProgress(topicId: $t, progress: $p) }"


@dataclass
class Client:
    """What an integrator would write."""

    session: aiohttp.ClientSession
    base: str
    token: str | None = None

    async def login(self, email: str) -> None:
        answer = await self.ask(LOGIN, e=email, p="demo")
        self.token = answer["data"]["Login"]

    async def post(self, query: str, **variables: Any) -> tuple[int, dict[str, Any], Any]:
        headers = {"authToken": self.token} if self.token else {}
        async with self.session.post(
            f"{self.base}/helium",
            params={"apiKey": KEY},
            headers=headers,
            json={"query": query, "variables": variables},
        ) as response:
            return response.status, dict(response.headers), await response.json()

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        status, _, answer = await self.post(query, **variables)
        assert status == 200
        shown: dict[str, Any] = answer
        return shown

    async def state(self, **params: str) -> dict[str, Any]:
        async with self.session.get(f"{self.base}/emulator/state", params=params) as response:
            assert response.content_type == "application/json"
            shown: dict[str, Any] = await response.json()
            return shown


@pytest.fixture
def limits() -> dict[str, Any]:
    return {}


@pytest.fixture
async def client(limits: dict[str, Any]) -> AsyncIterator[Client]:
    emulator = Emulator(builtin_catalogue(), api_key=KEY, clock=SystemClock(), **limits)
    async with (
        serve(emulator, host="127.0.0.1", port=0) as base,
        aiohttp.ClientSession() as session,
    ):
        client = Client(session, base)
        await client.login("ana@example.com")
        yield client


async def test_the_topic_example_completes_the_topic(client: Client) -> None:
    assert await client.ask(UPDATE_TOPIC) == {"data": {"UpdateTopicAndCourseProgress": True}}
    ana = (await client.state())["learners"]["ana@example.com"]
    assert ana["topics"] == {"tpc_01HX3Q4R5S6T7U8V": 100}
    assert ana["courses"]["intro-to-graphql"]["percentComplete"] == 50


async def test_the_course_status_example_completes_the_course(client: Client) -> None:
    assert await client.ask(UPDATE_COURSE) == {"data": {"UpdateCourseStatus": True}}
    ana = (await client.state())["learners"]["ana@example.com"]
    assert ana["courses"] == {
        "intro-to-graphql": {
            "status": "completed",
            "percentComplete": 100,
            "statusChangeDate": "2024-03-15T10:30:00Z",
        }
    }


async def test_the_course_progress_example_answers_in_the_shape_of_the_page(client: Client) -> None:
    for topic in ("page_text_001", "page_video_002", "page_quiz_003"):
        await client.ask(SET, t=topic, p=100)
    assert await client.ask(COURSE_PROGRESS) == {
        "data": {"UserCourseProgress": {"totalViews": 3, "totalTime": 0, "percentComplete": 75}}
    }


async def test_the_completed_pages_example_answers_as_the_page_shows(client: Client) -> None:
    for topic in ("page_quiz_003", "page_text_001", "page_video_002"):
        await client.ask(SET, t=topic, p=100)
    status, headers, answer = await client.post(COMPLETED_PAGES, courseId="course_abc123")
    assert status == 200
    assert headers["X-Complexity-Cost"] == str(1 + 3 + 1 + 5 + 6 + 6 + 5)
    assert answer == {
        "data": {
            "PagesCompletedByCourse": [
                {
                    "__typename": "TextPage",
                    "id": "page_text_001",
                    "title": "Course Overview",
                    "type": "text",
                    "lessonId": "lesson_101",
                    "updatedAt": "2024-03-01T09:00:00Z",
                },
                {
                    "__typename": "VideoPage",
                    "id": "page_video_002",
                    "title": "Welcome Video",
                    "type": "video",
                    "lessonId": "lesson_101",
                    "updatedAt": "2024-03-01T09:15:00Z",
                    "asset": "wistia_abc123xyz",
                },
                {
                    "__typename": "QuizPage",
                    "id": "page_quiz_003",
                    "title": "Pre-Assessment",
                    "type": "quiz",
                    "lessonId": "lesson_102",
                    "updatedAt": "2024-03-02T11:00:00Z",
                    "minPassingPercent": 70,
                },
            ]
        }
    }


async def test_a_refused_login_has_no_token(client: Client) -> None:
    answer = await client.ask(LOGIN, e="ana@example.com", p="guess")
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_the_state_shows_learners_totals_and_the_window(client: Client) -> None:
    await client.ask(SET, t="topic_demo_1", p=62)
    state = await client.state()
    assert "history" not in state
    assert state["learners"]["ben@example.com"] == {"topics": {}, "courses": {}}
    assert state["learners"]["ana@example.com"]["topics"] == {"topic_demo_1": 62}
    assert state["totals"] == {
        "requests": 2,
        "points": 2,
        "rejected_429": 0,
        "mutations": {"Login": 1, "UpdateTopicAndCourseProgress": 1},
    }
    assert state["window"]["points_left"] == 99_998
    assert 0 < state["window"]["resets_in"] <= 60
    history = (await client.state(history="1"))["history"]
    assert [each["name"] for each in history] == ["Login", "UpdateTopicAndCourseProgress"]


@pytest.mark.parametrize("limits", [{"requests_per_minute": 2}])
async def test_past_the_limit_the_answer_is_429_with_the_published_headers(client: Client) -> None:
    await client.ask(SET, t="topic_demo_1", p=62)
    status, headers, answer = await client.post(SET, t="topic_demo_1", p=63)
    assert status == 429
    assert answer["errors"][0]["extensions"] == {"code": "RATE_LIMITED"}
    assert "data" not in answer
    assert 1 <= int(headers["Retry-After"]) <= 60
    assert headers["X-RateLimit-Remaining"] == "99998"
    assert 0 < int(headers["X-RateLimit-Reset"]) - SystemClock().now() <= 61
    assert headers["X-Complexity-Limit"] == "1000"
    state = await client.state()
    assert state["totals"]["rejected_429"] == 1
    assert state["learners"]["ana@example.com"]["topics"] == {"topic_demo_1": 62}


async def test_a_wrong_key_is_401_and_a_bearer_key_is_good(client: Client) -> None:
    url, body = f"{client.base}/helium", {"query": "{ __typename }"}
    async with client.session.post(url, params={"apiKey": "other"}, json=body) as response:
        assert response.status == 401
        answer = await response.json()
        assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    bearer = {"Authorization": f"Bearer {KEY}"}
    async with client.session.post(url, headers=bearer, json=body) as response:
        assert (await response.json())["data"] == {"__typename": "Query"}


async def test_an_oversized_body_is_413_as_json(client: Client) -> None:
    url, body = f"{client.base}/helium", io.BytesIO(b" " * 1_100_000)
    headers = {"Content-Type": "application/json"}
    async with client.session.post(
        url, params={"apiKey": KEY}, headers=headers, data=body
    ) as response:
        assert response.status == 413
        answer = await response.json()
    assert "1048576 bytes" in answer["errors"][0]["message"]


async def test_only_the_key_resets(client: Client) -> None:
    await client.ask(SET, t="topic_demo_1", p=62)
    url = f"{client.base}/emulator/reset"
    async with client.session.post(url) as response:
        assert response.status == 401
    async with client.session.post(url, params={"apiKey": KEY}) as response:
        assert response.status == 200
    state = await client.state()
    assert state["learners"]["ana@example.com"] == {"topics": {}, "courses": {}}
    assert state["totals"]["requests"] == 0


async def test_an_address_in_use_is_a_config_error(client: Client) -> None:
    port = int(client.base.rpartition(":")[2])
    emulator = Emulator(builtin_catalogue(), api_key=KEY, clock=SystemClock())
    with pytest.raises(ConfigError, match=f"port {port}"):
        async with serve(emulator, host="127.0.0.1", port=port):
            pass


PROCESS = """
import asyncio
from pointsman.emulator.cli import run_emulator
asyncio.run(run_emulator(
    host="127.0.0.1", port=0, api_key="instance-key", catalogue=None, points_per_minute=100_000,
    requests_per_minute=2_500, points_per_request=1_000, token_ttl=3_600.0,
))
"""


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_says_where_it_listens_and_ends_at_a_signal(signum: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode().strip()
        assert line.startswith("emulated platform listening on http://127.0.0.1:")
        base = line.rpartition(" ")[2].removesuffix("/helium")
        async with aiohttp.ClientSession() as session:
            client = Client(session, base)
            await client.login("ben@example.com")
            assert (await client.ask(UPDATE_TOPIC))["data"] is not None
            process.send_signal(signum)
            assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
