"""`satisfied` is stated once, over every store: with many replicas, after crashes, in any order."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import orjson
import pytest

from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.launch import Launch, LaunchMode
from pointsman.mapping import ConfiguredIdentity, Mapper
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.players import LaunchCache
from pointsman.sources.players.cmi5 import lms_statements, vocabulary
from pointsman.sources.players.cmi5.lms import Lms
from pointsman.sources.players.cmi5.satisfied import SatisfiedTracker, stated_in_registration
from pointsman.statements import Limits
from pointsman.store.base import Store
from pointsman.wiring.cmi5 import lms, satisfied_tracker
from tests.support.cmi5_statements import LAUNCH, statement

BOTH = replace(LAUNCH, move_on="CompletedAndPassed", topic_id="t", expires_at=2**60)
CLOCK = SystemClock()


class Replica:
    """One daemon's part of it, over a store that others have too."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.launches = LaunchCache(store, CLOCK)
        behind = satisfied_tracker(store, self.launches, CLOCK)
        assert behind is not None
        self.following: SatisfiedTracker = behind
        self.intake = Pipeline(
            behind,
            Mapper([], ConfiguredIdentity()),
            Limits(),
            CLOCK,
            lambda *_: None,
            launches=self.launches,
            on_batch=behind.note,
        )
        made = lms(store, behind, self.intake, CLOCK, "https://learn.example.com")
        assert made is not None
        self.lms: Lms = made

    async def open(self, launch: Launch = BOTH) -> None:
        await self.launches.save(launch)
        await self.lms.open(launch, None)

    async def say(self, verb: str, **more: Any) -> None:
        await self.launches.find(BOTH.registration)
        await self.accept({"id": str(uuid.uuid4()), **statement(verb, **more)})

    async def accept(self, statements: Any) -> None:
        body = orjson.dumps(statements)
        await self.intake.accept(self.intake.reader.request("players", body))


async def satisfied(store: Store) -> int:
    return len([one async for one in stated_in_registration(store, BOTH, vocabulary.SATISFIED)])


async def test_of_two_replicas_that_store_the_halves_at_once_one_states_it(store: Store) -> None:
    replicas = [Replica(store) for _ in range(4)]
    await replicas[0].open()
    await asyncio.gather(
        *(
            one.say(verb)
            for one, verb in zip(
                replicas, [vocabulary.COMPLETED, vocabulary.PASSED] * 2, strict=True
            )
        )
    )
    assert await satisfied(store) == 1
    assert (
        await store.statement(lms_statements.satisfied_id(store.statement_ids, BOTH))
    ) is not None


@pytest.mark.parametrize(
    "verbs", [[vocabulary.COMPLETED, vocabulary.PASSED], [vocabulary.PASSED, vocabulary.COMPLETED]]
)
async def test_what_a_crash_left_out_the_next_statement_brings(
    store: Store, verbs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Replica(store)
    await first.open()
    monkeypatch.setattr(first.following, "state", None)  # it dies between the commit and this
    for verb in verbs:
        await first.say(verb)
    assert await satisfied(store) == 0
    await Replica(store).say(vocabulary.TERMINATED)
    assert await satisfied(store) == 1


async def test_a_new_launch_brings_it_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Replica(store)
    await first.open()
    monkeypatch.setattr(first.following, "state", None)
    await first.say(vocabulary.COMPLETED)
    await first.say(vocabulary.PASSED)
    await Replica(store).open(replace(BOTH, session="s2"))
    assert await satisfied(store) == 1


async def test_what_could_not_be_looked_up_is_with_the_next_input_of_anybody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica = Replica(store)
    await replica.open()
    await replica.say(vocabulary.COMPLETED)
    with monkeypatch.context() as patch:

        async def away(*_: object, **__: object) -> None:
            raise StoreUnavailable

        patch.setattr(store, "search", away)
        await replica.say(vocabulary.PASSED)  # is stored all the same
    assert await satisfied(store) == 0
    other = {
        "actor": {"mbox": "mailto:ben@example.com"},
        "verb": {"id": vocabulary.COMPLETED},
        "object": {"id": "https://content.example.com/other"},
    }
    await replica.accept(other)
    assert await satisfied(store) == 1


async def test_what_was_voided_does_not_count(store: Store) -> None:
    replica = Replica(store)
    await replica.open()
    passed = {"id": str(uuid.uuid4()), **statement(vocabulary.PASSED)}
    await replica.accept(passed)
    voiding = {
        "actor": passed["actor"],
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": passed["id"]},
    }
    await replica.accept(voiding)
    await replica.say(vocabulary.COMPLETED)
    assert await satisfied(store) == 0
    await replica.say(vocabulary.PASSED)
    assert await satisfied(store) == 1


async def test_more_statements_than_a_page_are_looked_through(store: Store) -> None:
    replica = Replica(store)
    await replica.open()
    low = {"result": {"score": {"scaled": 0.1}}}
    await replica.say(vocabulary.PASSED)
    batch = [{"id": str(uuid.uuid4()), **statement(vocabulary.PASSED, **low)} for _ in range(250)]
    await replica.accept(batch)
    await replica.say(vocabulary.COMPLETED)
    assert await satisfied(store) == 1


async def test_one_credential_is_given_by_all_replicas_together(store: Store) -> None:
    replicas = [Replica(store) for _ in range(5)]
    await replicas[0].open()
    given = await asyncio.gather(*(one.lms.fetch(BOTH) for one in replicas * 3))
    assert given.count(True) == 1


async def test_launches_at_once_leave_one_session_open(store: Store) -> None:
    replicas = [Replica(store) for _ in range(4)]
    names = [f"s{number}" for number in range(4)]
    await asyncio.gather(
        *(one.open(replace(BOTH, session=name)) for one, name in zip(replicas, names, strict=True))
    )
    sessions = await replicas[0].lms.sessions.all(BOTH.registration)
    assert sorted(one.id for one in sessions) == names
    assert [one.superseded_at is None for one in sessions] == [False, False, False, True]


async def test_a_session_whose_terminated_was_not_noted_is_not_abandoned(store: Store) -> None:
    replica = Replica(store)
    await replica.open()
    assert await replica.lms.fetch(BOTH)
    await replica.say(vocabulary.TERMINATED)
    await replica.open(replace(BOTH, session="s2"))
    assert [one async for one in stated_in_registration(store, BOTH, vocabulary.ABANDONED)] == []
    assert await replica.lms.fetch(replace(BOTH, session="s2"))
    await replica.open(replace(BOTH, session="s3"))
    found = [one async for _, one in stated_in_registration(store, BOTH, vocabulary.ABANDONED)]
    assert len(found) == 1


async def test_a_new_session_is_known_to_a_replica_that_knew_the_one_before(store: Store) -> None:
    one, other = Replica(store), Replica(store)
    await one.open(replace(BOTH, mode=LaunchMode.BROWSE))
    known, _ = await other.launches.newest(BOTH.registration, BOTH.learner)
    assert known is not None
    assert known.mode is LaunchMode.BROWSE
    await one.open(replace(BOTH, session="s2"))
    known, _ = await other.launches.newest(BOTH.registration, BOTH.learner)
    assert known is not None
    assert known.mode is LaunchMode.NORMAL
