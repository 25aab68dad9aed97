"""Webhooks of the platform over HTTP, to a real store: right ones, wrong ones, repeated ones."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from pointsman.config.confirmations import ConfirmationSettings
from pointsman.config.settings import Settings
from pointsman.domain.platform_events import FactSource, PlatformFact
from pointsman.domain.records import DeadLetter, Submission
from pointsman.domain.targets import ReadBackPlace
from pointsman.sources.confirmations import (
    ConfirmationHooks,
    ConfirmationIntake,
    EventPaths,
    EventReader,
    RefusedEvent,
    replay_event,
)
from pointsman.sources.http.body import BodyLimits
from pointsman.sources.http.confirmations import ORIGIN, Confirmations
from pointsman.sources.http.errors import RequestRefused, answer
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.statements.adapters import Path as JsonPath
from pointsman.store.base import Settlement
from pointsman.store.confirmation_records import EventOutcome, TakenEvent
from pointsman.store.sqlite import SqliteStore
from pointsman.wiring.confirmations import confirmation_sources
from tests.support.change_factory import change, course, wants
from tests.support.manual_clock import ManualClock

SECRET, OLD_SECRET = "an-endpoints-secret-1", "an-endpoints-secret-0"
ANA = "ana@example.com"
PLACE = ReadBackPlace.course("c1")
PATH = "/confirmations/academy"


@dataclass
class Target:
    """The route, and what was told of it."""

    client: TestClient[Any, Any]
    store: SqliteStore
    clock: ManualClock
    taken: list[TakenEvent] = field(default_factory=list)
    refused: list[RefusedEvent] = field(default_factory=list)
    letters: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[FactSource] = field(default_factory=list)

    async def send(self, body: bytes, secret: str = SECRET, **headers: str) -> ClientResponse:
        signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
        return await self.client.post(
            PATH, data=body, headers={"X-TI-Signature": signature, **headers}
        )

    @property
    def outcomes(self) -> list[EventOutcome]:
        return [one.outcome for one in self.taken]


def body(event: str = "course.completed", at: float = 0, **data: Any) -> bytes:
    """`at` is Unix seconds; ISO 8601 or milliseconds, as the platform may have it."""
    said = {"user": {"email": "Ana@Example.com", "id": "u1"}, "course": {"id": "c1"}, **data}
    return json.dumps({"event": event, "timestamp": round(at * 1_000), "data": said}).encode()


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[Target]:
    store, clock = SqliteStore(tmp_path / "store.db", threaded=False), ManualClock()
    await store.open()
    old = tmp_path / "old"
    old.write_text(OLD_SECRET)
    entry = ConfirmationSettings.model_validate(
        {"name": "academy", "secret": SECRET, "old_secret_files": [str(old)]}
    )
    settings = Settings.model_construct(confirmations=(entry,))  # type: ignore[call-arg]
    app = web.Application()
    made = Target(TestClient(TestServer(app)), store, clock)

    async def keep(source: str, _body: bytes, reason: str, origin: str) -> None:
        made.letters.append((f"{source}: {origin}", reason))

    hooks = ConfirmationHooks(
        taken=lambda _name, taken: made.taken.extend(taken),
        ignored=lambda _name, by: made.ignored.append(by),
        refused=lambda _name, why: made.refused.append(why),
    )
    intake = ConfirmationIntake(store, clock, keep, frozenset(), hooks)
    handler = Confirmations(
        confirmation_sources(settings),
        BodyLimits(1_000_000, 30),
        intake,
        clock,
        FailedAttempts(10, clock),
    )

    async def post(request: web.Request) -> web.Response:
        try:
            return await handler.post(request)
        except RequestRefused as error:
            return answer(request, error)

    app.router.add_post("/confirmations/{name}", post)
    at = round(clock.now() * 1e6)
    wanted = change(ANA, course("c"), "completed", at=at)
    await store.ingest([wants(replace(wanted, read_back=PLACE), at=at)])
    async with made.client:
        yield made
    await store.close()


async def test_a_completion_is_confirmed_once_however_often_it_is_sent(target: Target) -> None:
    target.clock.advance(30)
    sent = body(at=target.clock.now())
    for secret in (SECRET, OLD_SECRET, SECRET):
        answered = await target.send(sent, secret)
        assert (answered.status, await answered.text()) == (204, "")
    assert target.outcomes == [EventOutcome.NEWS, EventOutcome.REPEATED, EventOutcome.REPEATED]
    assert target.taken[0].seconds == pytest.approx(30, abs=0.01)
    ((place, facts),) = [(one.place, one.facts) for one in await target.store.facts_of(ANA)]
    assert (place, facts[0].fact, facts[0].source) == (
        PLACE,
        PlatformFact.COMPLETED,
        FactSource.WEBHOOK,
    )


async def test_what_is_not_signed_so_or_is_too_old_is_refused_and_counted(target: Target) -> None:
    now = target.clock.now()
    good = body(at=now)
    unsigned = await target.client.post(PATH, data=good)
    forged = await target.send(good, "another-secret")
    changed = await target.client.post(
        PATH,
        data=good + b" ",
        headers={"X-TI-Signature": hmac.new(SECRET.encode(), good, "sha256").hexdigest()},
    )
    old = await target.send(body(at=now - 100_801))
    repeated = await target.send(body(at=now - 26.7 * 3_600))
    assert [one.status for one in (unsigned, forged, changed, old, repeated)] == [
        401,
        401,
        401,
        400,
        204,
    ]
    assert target.refused == ["unsigned", "forged", "forged", "old"]
    assert "X-TI-Signature is missing" in await unsigned.text()
    assert "tolerance_seconds" in await old.text()
    assert (await target.client.post("/confirmations/other", data=good)).status == 404


async def test_who_tries_signatures_is_slowed_and_a_proven_address_is_not(target: Target) -> None:
    good = body(at=target.clock.now())
    for _ in range(20):
        await target.send(good, "a-guess")
    assert target.refused[-1] == "slowed"
    slowed = await target.send(good)
    assert (slowed.status, "Retry-After" in slowed.headers) == (429, True)
    target.clock.advance(120)
    assert (await target.send(body(at=target.clock.now()))).status == 204
    for _ in range(20):
        await target.send(good, "a-guess")
    assert (await target.send(body(at=target.clock.now()))).status == 204


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"{", "not JSON at line 1"),
        (b"[]", "must be a JSON object"),
        (b'{"timestamp": 1}', "no name at event"),
        (b'{"event": "course.completed", "timestamp": 1}', "no learner at data.userEmail or"),
        (body(course={}), "no course at data.courseId or data.course.id, and no learning path"),
        (b'{"event": "course.completed", "data": {"userId": 7, "courseId": 8}}', "has no time at"),
        (body().replace(b'"timestamp": 0', b'"timestamp": "soon"'), "must be a time"),
    ],
)
async def test_an_event_that_makes_no_sense_is_a_dead_letter(
    target: Target, sent: bytes, reason: str
) -> None:
    assert (await target.send(sent)).status == 204
    ((where, why),) = target.letters
    assert where == "academy: POST /confirmations"
    assert reason in why


async def test_events_of_strangers_and_of_other_kinds_leave_nothing(target: Target) -> None:
    before = (await target.store.stats()).rows
    now = target.clock.now()
    stranger = body(at=now, user={"email": "stranger@example.com"})
    for sent in (
        stranger,
        body("enrollment.created", now),
        body("course.completed", now, course={"id": "x"}),
    ):
        assert (await target.send(sent)).status == 204
    assert target.outcomes == [EventOutcome.UNKNOWN, EventOutcome.UNKNOWN]
    assert target.ignored == ["webhook"]
    assert (await target.store.stats()).rows == before


async def test_an_administrators_status_is_taken_over(target: Target) -> None:
    now = round(target.clock.now() * 1e6)
    (lease,) = await target.store.lease(now=now, ttl=1_000, limit=9)
    settled = [Settlement(row.target, row.version, "delivered") for row in lease.desired]
    assert await target.store.settle(lease, settled, now=now, ready_at=now)
    at = target.clock.now() + 10
    target.clock.advance(15)
    await target.send(body("course.status_changed", at, status="not-completed"))
    await target.send(body("course.status_changed", at + 1, status="completed"))
    assert [(one.event.fact, one.outcome) for one in target.taken] == [
        (PlatformFact.STATUS_CHANGED, EventOutcome.TAKEN_OVER),
        (PlatformFact.COMPLETED, EventOutcome.NEWS),
    ]


async def test_a_dead_letter_is_read_again_with_the_paths_of_now(target: Target) -> None:
    sent = body(at=target.clock.now())
    letter = DeadLetter("the paths were wrong", ORIGIN, sent)
    await target.store.ingest([Submission("academy", sent, 1, (), (letter,))])
    (stored,) = await target.store.dead_letters(limit=9)
    whole = await target.store.dead_letter(stored.id)
    assert whole is not None
    paths = EventPaths(*(tuple(map(JsonPath.parse, texts)) for texts in PATHS))
    reader = EventReader(paths, {"course.completed": PlatformFact.COMPLETED}, FactSource.WEBHOOK)
    readers = {("academy", ORIGIN): reader}

    async def again(**more: Any) -> str | None:
        return await replay_event(target.store, target.clock, readers, frozenset(), whole, **more)

    assert await again(dry_run=True) == "would be completed"
    assert await again() == "completed: news"
    assert await target.store.dead_letters(limit=9) == []
    assert (await target.store.books()).balanced
    other = replace(whole, source="players")
    assert await replay_event(target.store, target.clock, readers, frozenset(), other) is None


#: event, time, learner, course, learning path, status, topic
PATHS = (
    ("event",),
    ("timestamp",),
    ("data.user.email",),
    ("data.course.id",),
    ("data.path",),
    ("data.status",),
    ("data.topicId",),
)
