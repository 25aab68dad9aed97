"""Nobody takes the id of a statement that pointsman will make, before pointsman makes it."""

from __future__ import annotations

import hmac
import json
import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointsman.domain.records import InputOutcome
from pointsman.store import sqlite as sqlite_store
from tests.support.launch_client import BEN, COURSE, Launching, launching
from tests.support.running_daemon import ADL
from tests.support.store_queries import look

SECRET = "the-secret-of-the-lms-webhook"
RULES = f"""
[[rules]]
activity = "https://content.example.com/intro"
topic_id = "topic_demo_1"
[[sources.webhooks]]
name = "lms"
secret = "{SECRET}"
signature = {{ header = "X-Signature", prefix = "sha256=" }}
learner = "user"
activity = "https://content.example.com/{{course}}"
progress = "percent"
id = "event"
[[sources.scorm_cloud]]
name = "cloud"
username = "cloud"
password = "the-password-of-the-cloud"
course_activity = "https://content.example.com/{{course}}"
sco_activity = "https://content.example.com/{{course}}/{{sco}}"
learner = "email"
home_page = "https://cloud.scorm.com"
"""
EVENT = {"event": "event-17", "user": BEN, "course": "intro", "percent": 40}
#: what the version before made ids of, and everybody could
NAMESPACE = uuid.UUID("0a3a7a0e-3a56-5d5c-9e4b-6f7d1c3b8e21")
PREDICTED = str(uuid.uuid5(NAMESPACE, "lms\x1fevent-17"))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, RULES) as running:
        yield running


async def squat(world: Launching, statement_id: str) -> None:
    """Ana states something of her own with an id that she worked out."""
    launch = await world.launch()
    status, text = await world.send(
        launch,
        "PUT",
        f"/xapi/statements?statementId={statement_id}",
        json={
            "actor": launch["actor"],
            "verb": {"id": f"{ADL}experienced"},
            "object": {"id": COURSE},
        },
    )
    assert status == 204, text


async def webhook(world: Launching, event: dict[str, Any]) -> int:
    body = json.dumps(event).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    url = f"{world.url}/webhooks/lms"
    async with world.run.session.post(url, data=body, headers={"X-Signature": signature}) as answer:
        return answer.status


def stored(world: Launching, source: str) -> list[str]:
    """The ids of what a source's statements are stored under."""
    path = world.run.database
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT id FROM statements WHERE source = ?", (source,))
        return [row[0] for row in rows]


async def test_a_webhook_is_applied_whatever_ids_a_learner_took_before(world: Launching) -> None:
    await world.launch(learner=BEN)
    await squat(world, PREDICTED)
    assert await webhook(world, EVENT) == 204
    await world.run.until(lambda: bool(world.run.ran))
    assert await webhook(world, EVENT) == 204  # redelivered
    assert len(stored(world, "lms")) == 1
    books = look(world.run.database, lambda store: store.books())
    assert (books.outcomes[InputOutcome.DEAD], books.balanced) == (0, True)


async def test_a_conflict_of_a_trusted_sender_is_a_dead_letter_and_counted(
    world: Launching,
) -> None:
    assert await webhook(world, EVENT) == 204
    assert await webhook(world, EVENT | {"percent": 50}) == 204
    (letter,) = look(world.run.database, lambda store: store.dead_letters(limit=9))
    assert letter.source == "lms"
    assert "already stored with different content" in letter.reason
    async with world.run.session.get(f"{world.url}/metrics") as answer:
        page = await answer.text()
    assert 'pointsman_inputs_total{result="conflict",source="lms"} 1.0' in page
    assert 'pointsman_inputs_total{result="dead",source="lms"} 1.0' in page


#: what made the secret, and noted the moment, when the store was upgraded
MIGRATION = Path(sqlite_store.__file__).parent / "migrations" / "0011_installation.sql"


async def test_an_event_of_before_the_upgrade_is_not_applied_twice(tmp_path: Path) -> None:
    async with launching(tmp_path, RULES) as world:
        assert await webhook(world, EVENT) == 204
        database = world.run.database
    with closing(sqlite3.connect(database)) as connection:
        # as the version before left it: with the id that it made, and without a secret
        connection.execute("UPDATE statements SET id = ? WHERE source = 'lms'", (PREDICTED,))
        connection.execute("DROP TABLE installation")
        connection.executescript(MIGRATION.read_text())
        connection.commit()
    async with launching(tmp_path, RULES) as world:
        accepted = look(database, lambda store: store.books()).accepted
        assert await webhook(world, EVENT) == 204
        assert look(database, lambda store: store.books()).accepted == accepted
        assert stored(world, "lms") == [PREDICTED]
        assert await webhook(world, EVENT | {"event": "event-18"}) == 204
        assert len(stored(world, "lms")) == 2


async def test_a_postback_that_a_learner_foresaw_is_applied(world: Launching) -> None:
    await world.launch(learner=BEN)
    postback = {
        "id": "registration-1",
        "course": {"id": "intro"},
        "learner": {"id": BEN, "email": BEN},
        "registrationCompletion": "COMPLETED",
        "updated": "2026-11-01T08:00:00Z",
    }
    url = f"{world.url}/scorm-cloud/postback"
    login = {"Authorization": "Basic Y2xvdWQ6dGhlLXBhc3N3b3JkLW9mLXRoZS1jbG91ZA=="}
    async with world.run.session.post(url, json=postback, headers=login) as answer:
        assert answer.status == 204
    (made,) = stored(world, "cloud")
    statement = look(world.run.database, lambda store: store.statement(made))
    assert statement is not None
    said = orjson.loads(statement.body)
    said = said[0] if isinstance(said, list) else said
    content = {name: value for name, value in said.items() if name != "id"}
    name = orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()
    assert made != str(uuid.uuid5(NAMESPACE, name))
