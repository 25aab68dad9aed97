"""What every store must hold about statements that say something together only."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack

import pytest

from demo.database import Database
from pointsman.domain.evidence import Evidence
from pointsman.domain.records import (
    Change,
    Decision,
    Falls,
    InputOutcome,
    Receipt,
    Submission,
)
from pointsman.domain.targets import CourseStatus, Target
from pointsman.store.base import Store
from pointsman.store.postgres import PostgresStore
from tests.support.change_factory import change, course, item, new_id, submission, topic, wants
from tests.support.databases import fresh_database
from tests.support.store_steps import leased_values, settle, take

T = topic("t")


def slide(
    name: str, *, whole: int = 4, learner: str = "ana", target: Target = T, key: str = "slides"
) -> Change:
    evidence = Evidence(key, whole, frozenset({name}))
    return change(learner, target, 0, evidence=evidence)


def half(start: float, end: float) -> Change:
    return change("ana", T, 0, evidence=Evidence("video", 100, spans=((start, end),)))


def word(name: str) -> Change:
    """One of the two that complete a course."""
    said = Evidence("unit", 2, frozenset({name}))
    return change("ana", course("c"), CourseStatus.COMPLETED, evidence=said)


async def test_slides_add_up_to_a_topic(store: Store) -> None:
    for name in "1213":
        await take(store, wants(slide(name)))
    assert await leased_values(store) == [75]


async def test_a_video_is_complete_once_every_stretch_was_played(store: Store) -> None:
    await take(store, wants(half(50, 100)))
    await settle(store, "delivered")
    await take(store, wants(half(0, 50)))
    assert await leased_values(store) == [100]


@pytest.mark.parametrize("order", list(itertools.permutations(["completed", "passed"])))
async def test_a_course_that_needs_two_statements_moves_with_the_second(
    store: Store, order: tuple[str, str]
) -> None:
    first, second = order
    assert await take(store, wants(word(first))) == Receipt({InputOutcome.APPLIED: 1})
    assert await leased_values(store) == []
    await take(store, wants(word(second)))
    assert await leased_values(store) == ["completed"]


@pytest.mark.parametrize("order", ["1122", "1212", "2112"])
async def test_a_course_of_units_that_need_two_statements_each(store: Store, order: str) -> None:
    words: dict[str, list[str]] = {"1": ["completed", "passed"], "2": ["completed", "passed"]}
    for unit in order:
        assert await leased_values(store) == []
        units = Evidence("units", 2, frozenset({unit}))
        both = Evidence(f"unit {unit}", 2, frozenset({words[unit].pop()}), then=units)
        done = change("ana", course("c"), CourseStatus.COMPLETED, evidence=both)
        assert await take(store, wants(done)) == Receipt({InputOutcome.APPLIED: 1})
    assert await leased_values(store) == ["completed"]


async def test_what_adds_nothing_is_superseded(store: Store) -> None:
    assert (await take(store, wants(word("passed")))).outcomes == {InputOutcome.APPLIED: 1}
    assert (await take(store, wants(word("passed")))).outcomes == {InputOutcome.SUPERSEDED: 1}


async def test_a_known_statement_adds_nothing_a_second_time(store: Store) -> None:
    first = wants(slide("1"))
    await take(store, first)
    assert (await take(store, first)).duplicates == 1
    assert await leased_values(store) == [25]


async def test_what_is_refused_as_a_whole_leaves_no_evidence(store: Store) -> None:
    known = new_id()
    await take(
        store, submission(item(statement_id=known, decision=Decision(InputOutcome.NO_EFFECT)))
    )
    other = item(statement_id=known, digest=2, decision=Decision(InputOutcome.NO_EFFECT))
    receipt = await take(store, submission(item(slide("1")), other))
    assert receipt.conflicts == (known,)
    await take(store, wants(slide("2")))
    assert await leased_values(store) == [25]


async def test_each_learner_and_each_key_gathers_for_itself(store: Store) -> None:
    await take(store, wants(slide("1", key="a"), slide("1", key="b", target=topic("u"))))
    await take(store, wants(slide("2", learner="bea", key="a")))
    assert await leased_values(store) == [25, 25, 25]


async def test_one_commit_unites_all_that_comes_in_it(store: Store) -> None:
    await store.ingest([wants(slide(name)) for name in "1234"])
    assert await leased_values(store) == [100]


async def test_what_many_send_at_once_is_all_gathered(store: Store) -> None:
    names = [str(number) for number in range(40)]
    await asyncio.gather(*(store.ingest([wants(slide(name, whole=40))]) for name in names))
    assert await leased_values(store) == [100]


async def test_a_new_attempt_gathers_anew(store: Store) -> None:
    def seen(registration: str, name: str, at: int) -> Submission:
        evidence = Evidence(f"slides {registration}", 2, frozenset({name}))
        return wants(
            change(
                "ana",
                T,
                0,
                at=at,
                registration=registration,
                falls=Falls.NEW_ATTEMPT,
                evidence=evidence,
            )
        )

    await store.ingest([seen("r1", "1", 1), seen("r1", "2", 2), seen("r2", "1", 3)])
    assert await leased_values(store) == [50]


@pytest.mark.parametrize("dry_run", [True, False])
async def test_deciding_anew_gathers_what_a_new_rule_asks_for(store: Store, dry_run: bool) -> None:
    names = [new_id() for _ in "12"]
    for name in names:
        none = item(statement_id=name, decision=Decision(InputOutcome.NO_EFFECT))
        await take(store, submission(none))
    anew = [
        submission(
            item(
                change(
                    "ana",
                    T,
                    0,
                    statement_id=name,
                    evidence=Evidence("slides", 4, frozenset({name})),
                )
            )
        )
        for name in names
    ]
    result = await store.redecide(anew, now=7, dry_run=dry_run)
    assert result.outcomes == {(InputOutcome.NO_EFFECT, InputOutcome.APPLIED): 2}
    assert [(one.before, one.after) for one in result.moves] == [(None, 25), (25, 50)]
    assert (await store.stats()).rows["evidence"] == (0 if dry_run else 1)
    assert await leased_values(store) == ([] if dry_run else [50])
    again = await store.redecide(anew, now=8, dry_run=False)
    assert again.outcomes == (
        {(InputOutcome.NO_EFFECT, InputOutcome.APPLIED): 2} if dry_run else {}
    )


async def test_a_nul_in_what_is_gathered_is_no_error(store: Store) -> None:
    """JSON can write one, and PostgreSQL can't keep it."""
    body = b'{"id": "\\u0000"}'
    for name in ("a\0b", "c\0d"):
        evidence = Evidence("k\0", 2, frozenset({name}))
        await take(store, submission(item(change("ana", T, 0, evidence=evidence)), body=body))
    assert await leased_values(store) == [100]


async def test_replicas_that_gather_at_the_same_time_lose_nothing(database: Database) -> None:
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(fresh_database(database))
        replicas = [PostgresStore(dsn, connections=2) for _ in range(3)]
        for one in replicas:
            await one.open()
            stack.push_async_callback(one.close)
        names = [str(number) for number in range(30)]
        await asyncio.gather(
            *(
                replicas[place % 3].ingest([wants(slide(name, whole=30))])
                for place, name in enumerate(names)
            )
        )
        assert await leased_values(replicas[0]) == [100]
