"""What a forgotten person sends is refused for as long as was said, and what others send is not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.errors import Forbidden
from pointsman.domain.launch import Launch, PlayerKind
from pointsman.domain.log_positions import Position
from pointsman.domain.records import Actor
from pointsman.privacy import ForgetRequest, forget
from pointsman.sources.batch import LogMessage
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.refused_learners import RefusedLearners
from pointsman.store.base import Store
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore
from pointsman.wiring import identity_rules, refused_learners
from pointsman.wiring.pipelines import pipeline
from tests.support.databases import fresh_database
from tests.support.manual_clock import ManualClock
from tests.support.person_traffic import (
    ANA,
    BATCH,
    OTHERS,
    OWN,
    agent,
    mailbox,
    settings,
    statement,
)

DAY = 86_400.0
LAUNCH = Launch(
    registration="0f3a9c1e-6f0c-4a5e-9a43-0d6f4f1f0a01",
    kind=PlayerKind.XAPI,
    learner="Ana@Example.com",
    actor=Actor("account", "somebody", "https://player.example.org"),
    name="",
    activity="http://example.com/one",
    opened_at=1,
    expires_at=2,
)


@dataclass
class Intake:
    store: Store
    pipeline: Pipeline
    refused: RefusedLearners
    clock: ManualClock
    sources: list[str]

    async def post(self, body: Any, launch: Launch | None = None) -> None:
        request = self.pipeline.reader.request("http", json.dumps(body).encode(), launch=launch)
        await self.pipeline.accept(request)

    async def inputs(self) -> int:
        books = await self.store.books()
        assert books.balanced, books
        return books.accepted


@pytest.fixture(params=["sqlite", "postgresql"])
async def intake(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Intake]:
    """Ana is forgotten, and refused for a day."""
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        store: Store
        if request.param == "postgresql":
            server = request.getfixturevalue("database")
            store = PostgresStore(await stack.enter_async_context(fresh_database(server)))
        else:
            store = SqliteStore(tmp_path / "store.db", threaded=False)
        await store.open()
        stack.push_async_callback(store.close)
        asked = ForgetRequest(ANA, refuse_for=DAY, compact=False)
        await forget(store, asked, identity_rules(settings()), clock)
        sources: list[str] = []
        refused = refused_learners(settings(), store, clock, sources.append)
        await refused.refresh()
        made = pipeline(settings(), store, clock, refused=refused)
        yield Intake(store, made, refused, clock, sources)


async def test_nothing_of_theirs_is_stored_while_the_rest_of_a_batch_is(intake: Intake) -> None:
    for name, one in OWN.items():
        if name not in {"account of a launch", "SHA-1 of another case"}:  # no launch, no spelling
            await intake.post(one)
    assert await intake.inputs() == 0
    for one in OTHERS.values():
        await intake.post(one)
    await intake.post(BATCH)
    assert await intake.inputs() == len(OTHERS) + len(BATCH) - 1
    texts: list[str] = []
    await intake.store.scan_blocks(lambda _block, bodies: texts.append(bodies.decode()))
    assert not [text for text in texts if f'"mailto:{ANA}"' in text]


async def test_a_message_counts_as_read_and_leaves_no_dead_letter_of_theirs(intake: Intake) -> None:
    (claimed,) = await intake.store.claim("group", [("lessons", 0)])
    body = json.dumps([OWN["mailbox"], {**OWN["mailbox"], "verb": {}}]).encode()
    position = Position("group", "lessons", 0, 8, token=claimed.token)
    submission = intake.pipeline.read_message(LogMessage("http", body, "offset 7", position))
    await intake.pipeline.ingest([submission])
    assert await intake.inputs() == 0
    (after,) = await intake.store.positions("group")
    assert after.offset == 8


async def test_what_is_too_deep_to_be_written_does_not_keep_the_others_from_being_taken(
    intake: Intake,
) -> None:
    deep = '{"x":' + "[" * 300 + "]" * 300 + "}"
    body = f"[{json.dumps(OWN['mailbox'])},{json.dumps(OTHERS['same domain'])},{deep}]".encode()
    submission = intake.pipeline.read_message(LogMessage("http", body, "offset 7", None))
    assert len(submission.items) == 1
    (letter,) = submission.dead
    assert "nested deeper" in letter.reason
    assert ANA.encode() not in letter.body + submission.body


async def test_a_launched_player_a_document_and_a_launch_are_told(intake: Intake) -> None:
    actor = Actor("mbox", f"mailto:{ANA}")
    with pytest.raises(Forbidden, match="forgotten"):
        await intake.post(statement(agent(), "one"), replace(LAUNCH, learner=ANA, actor=actor))
    with pytest.raises(Forbidden):
        intake.refused.must_take_documents(f"mbox mailto:{ANA}", "http")
    with pytest.raises(Forbidden):
        intake.refused.must_take_launch(LAUNCH)
    intake.refused.must_take_documents("mbox mailto:joana@example.com", "http")
    intake.refused.must_take_launch(replace(LAUNCH, learner="joana@example.com"))


async def test_what_is_refused_is_counted_by_hashes_that_name_nobody(intake: Intake) -> None:
    await intake.post(OWN["mailbox"])
    await intake.post(OWN["mailbox in another case"])
    await intake.refused.refresh()
    rows = await intake.store.refused_learners()
    assert sum(row.inputs for row in rows) == 2
    assert intake.sources == ["http", "http"]
    assert "ana" not in repr(rows).lower()
    assert len({row.person for row in rows}) == 1


async def test_when_the_time_is_over_they_are_taken_again_and_the_list_is_empty(
    intake: Intake,
) -> None:
    intake.clock.advance(DAY + 1)
    await intake.refused.refresh()
    assert not intake.refused.is_any
    assert await intake.store.refused_learners() == []
    await intake.post(statement(mailbox("ana"), "one"))
    assert await intake.inputs() == 1
