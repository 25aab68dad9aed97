"""Webhooks of the emulated platform, in virtual time: signed, tried again, struck by faults."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from pointsman.emulator import Emulator, builtin_catalogue
from pointsman.emulator.events import EndpointOptions
from pointsman.emulator.faults import Faults, read_fault
from tests.support.virtual_time import VirtualClock, run_virtually

KEY = "instance-key"
SECRET = "whsec"
URL = "https://example.com/confirmations/ti"
MINUTE = 60.0


@dataclass
class Post:
    """One attempt as the endpoint saw it; `at` in seconds since the start."""

    at: float
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def envelope(self) -> dict[str, Any]:
        envelope: dict[str, Any] = json.loads(self.body)
        return envelope

    @property
    def is_signed(self) -> bool:
        expected = hmac.new(SECRET.encode(), self.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(self.headers["X-TI-Signature"], expected)


@dataclass
class World:
    """An emulator that sends, and an endpoint that answers with `status`, or what it is made to."""

    emulator: Emulator
    clock: VirtualClock
    posts: list[Post] = field(default_factory=list)
    status: int = 200
    answers: Callable[[Post], Awaitable[int]] | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        post = Post(self.clock.monotonic(), url, headers, body)
        self.posts.append(post)
        return self.status if self.answers is None else await self.answers(post)

    async def ask(self, document: str, learner: str = "ana@example.com") -> int:
        token = self.emulator.issue_token(learner)
        body = json.dumps({"query": document}).encode()
        reply = await self.emulator.handle(
            query={"apiKey": KEY}, headers={"authToken": token}, body=body
        )
        return reply.status

    async def complete(self, learner: str = "ana@example.com") -> None:
        status = '{ UpdateCourseStatus(id: "course_demo", status: "completed") }'
        assert await self.ask(f"mutation {status}", learner) == 200

    async def toggle(self, times: int) -> None:
        """So many changes of a status, one a second."""
        for number in range(times):
            status = "started" if number % 2 else "completed"
            await self.ask(
                f'mutation {{ UpdateCourseStatus(id: "course_demo", status: "{status}") }}'
            )
            await self.clock.sleep(1)

    @property
    def endpoint(self) -> dict[str, Any]:
        [endpoint] = self.emulator.webhooks.as_json()["endpoints"].values()
        shown: dict[str, Any] = endpoint
        return shown


def play(
    script: Callable[[World], Awaitable[None]],
    *faults: dict[str, Any],
    events: tuple[str, ...] = ("course.completed", "course.status_changed"),
) -> World:
    """Run the script while webhooks about `events` are sent; then nothing waits that is due."""

    async def main() -> World:
        clock = VirtualClock()
        emulator = Emulator(
            builtin_catalogue(),
            api_key=KEY,
            clock=clock,
            faults=Faults([read_fault(fault, "a fault") for fault in faults], seed=7),
            webhooks=[EndpointOptions(url=URL, secret=SECRET, events=events)],
            token_ttl=1e9,
        )
        world = World(emulator, clock)
        sending = asyncio.create_task(emulator.run(world.post))
        await script(world)
        await clock.sleep(0.01)
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        return world

    return run_virtually(main())


def test_a_completion_is_posted_at_once_signed_over_the_body() -> None:
    world = play(World.complete)
    [post] = world.posts
    assert post.url == URL
    assert post.is_signed
    assert post.headers["Content-Type"] == "application/json"
    envelope = post.envelope
    assert list(envelope) == ["event", "timestamp", "data"]
    assert envelope["event"] == "course.completed"
    assert envelope["timestamp"].endswith("Z")
    assert envelope["data"]["user"] == {"id": "user_ana", "email": "ana@example.com"}
    assert envelope["data"]["course"]["id"] == "course_demo"
    assert envelope["data"]["course"]["slug"] == "demo-course"


def test_it_is_tried_again_as_the_platform_documents_and_then_given_up() -> None:
    async def script(world: World) -> None:
        world.status = 503
        await world.complete()
        await world.clock.sleep(10 * 86_400)

    world = play(script)
    waits = [later.at - post.at for post, later in zip(world.posts, world.posts[1:], strict=False)]
    expected = [MINUTE, 5 * MINUTE, 30 * MINUTE, 120 * MINUTE, 24 * 60 * MINUTE]
    assert waits == pytest.approx(expected)
    assert len({post.body for post in world.posts}) == 1
    assert world.endpoint["given_up"] == 1
    assert world.endpoint["failed"] == world.endpoint["attempts"] == 6
    assert world.emulator.webhooks.as_json()["waiting"] == 0


def test_an_endpoint_that_hangs_has_30_seconds_and_delays_neither_others_nor_graphql() -> None:
    async def hang(post: Post) -> int:
        if post.envelope["data"]["user"]["id"] == "user_ana":
            await asyncio.sleep(1_000)
        return 200

    async def script(world: World) -> None:
        world.answers = hang
        await world.complete()
        await world.complete("ben@example.com")
        assert world.clock.monotonic() == 0
        await world.clock.sleep(100)

    world = play(script)
    assert [round(post.at) for post in world.posts] == [0, 0, 90]
    assert world.endpoint["delivered"] == 1


def test_what_cannot_be_reached_is_told_and_tried_again() -> None:
    async def refuse(post: Post) -> int:
        if post.at < 1:
            raise ConnectionRefusedError("nothing listens")
        return 204

    async def script(world: World) -> None:
        world.answers = refuse
        await world.complete()
        await world.clock.sleep(1)
        assert world.endpoint["last"] == "nothing listens"
        await world.clock.sleep(100)

    world = play(script)
    assert world.endpoint["last"] == "204"
    assert world.endpoint["delivered"] == 1


def test_a_fifth_of_the_webhooks_is_lost_and_the_same_fifth_again() -> None:
    async def script(world: World) -> None:
        await world.toggle(100)

    worlds = [play(script, {"kind": "lose_webhook", "chance": 0.2}) for _ in range(2)]
    times = [[post.at for post in world.posts] for world in worlds]
    assert times[0] == times[1]
    assert 70 <= len(times[0]) <= 90
    assert worlds[0].endpoint["lost"] == 100 - len(times[0])
    assert len(worlds[0].emulator.events.log) >= 100


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        ({"kind": "repeat_webhook", "repeats": 2, "times": 1}, [0, 0, 0, 1, 2]),
        ({"kind": "delay_webhook", "seconds": 1.5, "times": 1}, [1, 1.5, 2]),
        ({"kind": "lose_webhook", "operation": "course.status_changed"}, [0, 2]),
        ({"kind": "lose_webhook", "learner": "ben@example.com"}, [0, 1, 2]),
        ({"kind": "server_error"}, [0, 1, 2]),
    ],
)
def test_faults_repeat_delay_and_lose(fault: dict[str, Any], times: list[float]) -> None:
    async def script(world: World) -> None:
        if fault["kind"] == "server_error":
            world.emulator.faults.clear()
        await world.toggle(3)

    assert [post.at for post in play(script, fault).posts] == pytest.approx(times)


@pytest.mark.parametrize("kind", ["missign_webhook", "backdate_webhook"])
def test_a_bad_first_attempt_is_followed_by_a_good_one_when_it_is_refused(kind: str) -> None:
    async def check(post: Post) -> int:
        is_fresh = post.envelope["timestamp"].startswith("2026-01-05")
        return 200 if post.is_signed and is_fresh else 401

    async def script(world: World) -> None:
        world.answers = check
        await world.complete()
        await world.clock.sleep(61)

    world = play(script, {"kind": kind})
    first, second = world.posts
    assert first.is_signed is (kind == "backdate_webhook")
    day = "2026-01-03" if kind == "backdate_webhook" else "2026-01-05"
    assert first.envelope["timestamp"].startswith(day)
    assert second.is_signed
    assert world.endpoint["delivered"] == 1


def test_a_certificate_is_posted_when_it_is_due_though_nobody_asks() -> None:
    async def script(world: World) -> None:
        await world.ask('mutation { UpdateCourseStatus(id: "course_456", status: "completed") }')
        await world.clock.sleep(3_600)

    world = play(script, events=("certificate.granted",))
    [post] = world.posts
    assert post.envelope["event"] == "certificate.granted"
    assert post.at == pytest.approx(60)


def test_an_endpoint_that_is_registered_by_rest_gets_what_happens_from_then_on() -> None:
    async def script(world: World) -> None:
        await world.complete()
        options = {
            "url": "https://other.example.com/",
            "secret": SECRET,
            "events": ["course.completed"],
        }
        reply = await world.emulator.rest.handle(
            "POST",
            "/incoming/v2/webhooks",
            query={},
            headers={"Authorization": f"Bearer {KEY}"},
            body=json.dumps(options).encode(),
        )
        assert reply.status == 201
        answer = json.loads(reply.body)
        assert "secret" not in answer
        await world.complete("ben@example.com")
        await world.clock.sleep(0.01)
        assert world.emulator.webhooks.remove(answer["id"])
        assert not world.emulator.webhooks.remove(answer["id"])
        await world.complete("jane.smith@example.com")

    world = play(script)
    assert [post.url for post in world.posts].count("https://other.example.com/") == 1
    assert len(world.posts) == 4
