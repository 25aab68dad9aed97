"""A body is parsed once, and each statement in it validated once, from the request to the store.

The check for a property that appears twice is no parse: it writes what was parsed and counts
quotation marks. Only where these differ, or can't be counted, it parses again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.clock import SystemClock
from pointsman.domain.log_positions import Position
from pointsman.domain.records import Receipt, Submission
from pointsman.mapping import ConfiguredIdentity, Mapper
from pointsman.sources.batch import BatchReader, LogMessage
from pointsman.sources.kafka_forwarder import KafkaForwarder
from pointsman.sources.pipeline import Pipeline
from pointsman.statements import Limits
from tests.support.cmi5_player import play
from tests.support.http_endpoint import basic
from tests.support.launch_client import ANA, COURSE, Launching, launching
from tests.support.launch_factory import ACTIVITY, launch
from tests.support.parse_counts import ParseCounts, counted_parses
from tests.support.postbacks import GOLF
from tests.support.xapi_factory import statement

SECRET = "hunter2"
SOURCES = f"""
[[sources.webhooks]]
name = "lms"
secret = "{SECRET}"
signature = {{ header = "X-Signature" }}
learner = "user"
activity = "url"
[[sources.scorm_cloud]]
name = "scorm"
username = "user"
password = "secret"
"""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, SOURCES) as running:
        yield running


def bare(**more: Any) -> dict[str, Any]:
    """A statement of Ana's without id, registration and session."""
    said = {"id": None, "actor": {"mbox": f"mailto:{ANA}"}, "object": {"id": COURSE}}
    return statement(**{**said, **more})


async def post(
    world: Launching, path: str, body: bytes, headers: dict[str, str]
) -> tuple[ParseCounts, int]:
    url = path if path.startswith("http") else f"{world.url}{path}"
    with counted_parses() as counts:
        async with world.run.session.post(url, data=body, headers=headers) as answer:
            assert answer.status in {200, 204}, await answer.text()
            # what is done after the answer counts as well
            await world.run.daemon.ready()
    return counts, answer.status


XAPI = {"X-Experience-API-Version": "1.0.3", "Content-Type": "application/json"}


def parsed(counts: ParseCounts, body: bytes) -> tuple[int, int, int]:
    """Parses of the body, parses of anything that is statements, and validations."""
    return counts.of_body(body), counts.of_statements(), counts.validations


async def test_a_plain_post(world: Launching) -> None:
    body = json.dumps([bare(), bare()]).encode()
    headers = XAPI | {"Authorization": basic("user:secret")}
    counts, _ = await post(world, "/xapi/statements", body, headers)
    assert parsed(counts, body) == (1, 1, 2)


async def test_a_launched_post_whose_statements_get_id_and_registration(world: Launching) -> None:
    launch = await world.launch()
    body = json.dumps([bare(), bare()]).encode()
    headers = XAPI | {"Authorization": launch["authorization"]}
    counts, _ = await post(world, "/xapi/statements", body, headers)
    assert parsed(counts, body) == (1, 1, 2)


@pytest.mark.parametrize("named", [True, False])
async def test_a_cmi5_post_that_the_lms_answers_with_satisfied(
    world: Launching, named: bool
) -> None:
    player = await play(world, moveOn="Completed", topicId="topic_demo_1")
    await player.good("initialized")
    completed = player.statement("completed")
    if not named:
        del completed["context"]["extensions"], completed["id"]
    body = json.dumps(completed).encode()
    headers = XAPI | {"Authorization": player.authorization}
    counts, _ = await post(world, "/xapi/statements", body, headers)
    # the other statement that is validated is `satisfied`, which the LMS hands over as it is
    assert parsed(counts, body) == (1, 1, 2)
    _, found = await player.get("/xapi/statements?ascending=true")
    assert [one["verb"]["id"].rpartition("/")[2] for one in found["statements"]] == [
        "launched",
        "initialized",
        "completed",
        "satisfied",
    ]


async def test_a_webhook(world: Launching) -> None:
    body = json.dumps({"user": ANA, "url": COURSE}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    counts, _ = await post(world, "/webhooks/lms", body, {"X-Signature": signature})
    assert parsed(counts, body) == (1, 0, 1)


async def test_a_postback_of_scorm_cloud(world: Launching) -> None:
    body = json.dumps(GOLF).encode()
    headers = {"Content-Type": "application/json", "Authorization": basic("user:secret")}
    counts, _ = await post(world, "/scorm-cloud/postback", body, headers)
    assert parsed(counts, body) == (1, 0, 1)


async def test_a_scorm_commit(world: Launching) -> None:
    launch = await world.launch(kind="scorm")
    body = json.dumps({"cmi": {"core": {"lesson_status": "completed"}}}).encode()
    counts, _ = await post(world, launch["commitUrl"], body, {"Content-Type": "text/plain"})
    assert parsed(counts, body) == (1, 0, 1)


class Written:
    """A topic, and a store that takes submissions."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.submissions: list[Submission] = []

    async def write(self, body: bytes, _headers: list[tuple[str, bytes]]) -> None:
        self.messages.append(body)

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        self.submissions += submissions
        return [Receipt({}) for _ in submissions]

    async def keep_dead_letter(self, source: str, body: bytes, reason: str, origin: str) -> None:
        raise AssertionError(reason)


@pytest.mark.parametrize("launched", [True, False])
async def test_a_request_that_is_forwarded_to_kafka(launched: bool) -> None:
    written = Written()
    forwarder = KafkaForwarder(written.write, SystemClock(), written.keep_dead_letter)
    said = bare(object={"id": ACTIVITY})
    body = json.dumps([said, said]).encode()
    with counted_parses() as counts:
        batch = BatchReader().request("launch", body, launch=launch() if launched else None)
        ids = (await forwarder.accept(batch)).ids
    assert parsed(counts, body) == (1, 1, 2)
    (message,) = written.messages
    assert [one["id"] for one in json.loads(message)] == ids


async def test_a_message_that_is_read_from_kafka() -> None:
    written = Written()
    mapper = Mapper([], ConfiguredIdentity())
    pipeline = Pipeline(written, mapper, Limits(), SystemClock(), lambda *_: None)
    body = json.dumps([bare(), bare(), {"verb": "not one"}]).encode()
    message = LogMessage("events", body, "topic t", Position("g", "t", 0, 1))
    with counted_parses() as counts:
        await pipeline.ingest([pipeline.read_message(message)])
    assert counts.of_body(body) == 1
    # what is no statement is copied and looked at again: what is beside the point could be left out
    assert [text for text, _ in counts.parses if text != body] == [b'{"verb":"not one"}']
    assert counts.validations == 4
    (submission,) = written.submissions
    assert (len(submission.items), len(submission.dead)) == (2, 1)
    assert json.loads(submission.dead[0].body) == {"verb": "not one"}
