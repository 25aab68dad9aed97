"""What stands in front of the intake for cmi5 players."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest

from pointsman.domain.errors import Forbidden, StoreUnavailable
from pointsman.domain.launch import Launch, LaunchMode, PlayerKind
from pointsman.sources.batch import Accepted, BatchReader, StatementBatch
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.session import Cmi5Session, dump
from pointsman.sources.players.cmi5.session_guard import SessionGuard
from pointsman.sources.players.cmi5.session_store import Cmi5SessionStore
from pointsman.statements import StatementsRefused
from pointsman.store.base import Document, StoredStatement
from tests.support.cmi5_statements import LAUNCH, good_statement, statement


@dataclass
class Intake:
    """Takes all, and remembers as which launch."""

    already_stored: bool = False
    launches: list[Launch | None] = field(default_factory=list)

    async def accept(self, batch: StatementBatch) -> Accepted:
        self.launches.append(batch.launch)
        return Accepted(["id"], already_stored=self.already_stored)

    async def keep_dead_letter(self, source: str, body: bytes, reason: str, origin: str) -> None:
        raise AssertionError(reason)


class Shelf:
    """A store with one document."""

    def __init__(self, *sessions: Cmi5Session) -> None:
        self.kept = Document("", dump(sessions), "", 0)
        self.away = False

    async def document(self, _key: object) -> Document:
        return self.kept

    async def change_document(self, _key: object, decide: Any) -> Any:
        if self.away:
            raise StoreUnavailable
        self.kept, result = decide(self.kept)
        return result


class Still:
    seconds = 100.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class World:
    def __init__(
        self, *sessions: Cmi5Session, already_stored: bool = False, rejects: bool = False
    ) -> None:
        self.shelf, self.intake, self.clock = Shelf(*sessions), Intake(already_stored), Still()
        self.violations: list[str] = []
        store: Any = self.shelf
        self.sessions = Cmi5SessionStore(store, self.clock)
        self.known: dict[str, StoredStatement] = {}
        self.voided: list[str] = []
        self.guard = SessionGuard(
            self.intake, self, self.clock, self.violations.append, grace=60, rejects=rejects
        )

    async def stored(self, statement_id: str) -> StoredStatement | None:
        return self.known.get(statement_id)

    async def void(self, _launch: Launch, statement_id: str) -> None:
        self.voided.append(statement_id)

    async def say(self, *verbs: str, launch: Launch | None = LAUNCH) -> Accepted:
        """Good statements of cmi5's verbs, which are short; the others are whole."""
        said = [
            {**good_statement(verb), "id": str(uuid.uuid4())}
            if "/" not in verb
            else statement(verb)
            for verb in verbs
        ]
        return await self.send(*said, launch=launch)

    async def send(self, *statements: dict[str, Any], launch: Launch | None = LAUNCH) -> Accepted:
        body = orjson.dumps(list(statements))
        return await self.guard.accept(BatchReader().request("launch", body, launch=launch))

    async def session(self) -> Cmi5Session:
        (session,) = await self.sessions.all(LAUNCH.registration)
        return session


OPEN = Cmi5Session("s1", 0, fetched=True)
BEGUN = replace(OPEN, begun=True, said=(vocabulary.INITIALIZED,))


async def test_a_session_says_what_it_has_to_say_until_its_grace_is_over() -> None:
    world = World(OPEN)
    await world.say("initialized", "passed", "terminated")
    session = await world.session()
    assert (session.begun, session.terminated_at) == (True, 100_000_000)
    world.clock.seconds = 160
    await world.say("completed")
    world.clock.seconds = 160.1
    with pytest.raises(Forbidden, match="grace_seconds"):
        await world.say("completed")
    assert len(world.intake.launches) == 2
    assert world.violations == ["after_terminated"]


def stored(statement: dict[str, Any]) -> StoredStatement:
    return StoredStatement(statement["id"], orjson.dumps(statement), None, 0, "launch", 0)


async def test_what_conflicts_is_taken_and_voided() -> None:
    world = World(BEGUN)
    good, bad = good_statement("passed"), {**good_statement("completed"), "id": str(uuid.uuid4())}
    del bad["result"]["duration"]
    await world.send(good, bad)
    assert world.voided == [bad["id"]]
    assert world.violations == ["no_duration"]


async def test_what_conflicts_is_rejected_with_all_that_came_with_it() -> None:
    world = World(replace(BEGUN, preferences_read=True), rejects=True)
    bad = {**good_statement("completed"), "id": str(uuid.uuid4())}
    del bad["result"]["duration"]
    with pytest.raises(Forbidden, match="must have a duration"):
        await world.send(good_statement("passed"), bad)
    assert (world.intake.launches, world.voided) == ([], [])
    assert world.violations == ["no_duration"]
    await world.say("passed")
    assert world.voided == []


async def test_a_retry_is_no_repetition() -> None:
    """Its first try was stored; and where it was not voided, it is now."""
    for rejects in (False, True):
        world = World(
            replace(
                BEGUN, said=(vocabulary.INITIALIZED, vocabulary.COMPLETED), preferences_read=True
            ),
            already_stored=True,
            rejects=rejects,
        )
        again = good_statement("completed")
        world.known[again["id"]] = stored(again)
        assert (await world.send(again)).already_stored
        del again["result"]["duration"]
        await world.send(again)
        assert world.voided == ([] if rejects else [again["id"]])
        assert world.violations == []


async def test_what_another_said_is_not_voided_by_its_id() -> None:
    """With intake = "kafka" it is not known yet that the id is taken."""
    world = World(BEGUN)
    conflicting = good_statement("completed")
    del conflicting["result"]["duration"]
    changes: list[dict[str, Any]] = [
        {"actor": {"mbox": "mailto:ben@example.com"}},
        {"context": {"registration": str(uuid.uuid4())}},
        {"context": {}},
    ]
    for change in changes:
        world.known[conflicting["id"]] = stored({**conflicting, **change})
        await world.send(conflicting)
    assert world.voided == []


async def test_a_session_counts_as_it_was_launched() -> None:
    world = World(replace(OPEN, mode=LaunchMode.REVIEW))
    await world.say(vocabulary.INITIALIZED)
    (launch,) = world.intake.launches
    assert launch is not None
    assert launch.mode is LaunchMode.REVIEW


async def test_that_an_end_could_not_be_noted_is_no_refusal() -> None:
    world = World(OPEN)
    world.shelf.away = True
    assert (await world.say("initialized", "terminated")).ids == ["id"]
    assert await world.session() == OPEN


async def test_what_is_refused_does_not_reach_the_intake() -> None:
    world = World(OPEN)
    with pytest.raises(StatementsRefused):
        await world.say("no IRI")
    with pytest.raises(Forbidden, match="LMS's"):
        await world.say(vocabulary.PASSED, vocabulary.SATISFIED)
    with pytest.raises(Forbidden, match="not known"):
        await world.say(vocabulary.PASSED, launch=replace(LAUNCH, session="s2"))
    assert world.intake.launches == []
    assert await world.session() == OPEN


@pytest.mark.parametrize("launch", [None, replace(LAUNCH, kind=PlayerKind.XAPI, session="")])
async def test_others_pass_by(launch: Launch | None) -> None:
    world = World()
    await world.say(vocabulary.SATISFIED, launch=launch)
    assert world.intake.launches == [launch]
