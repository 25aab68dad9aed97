"""Housekeeping and what people do: fences, pruning, dead letters, deciding anew. Books balance."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from pointsman.domain.log_positions import UNREAD, Position
from pointsman.domain.records import Change, DeadLetter, Decision, InputOutcome, Submission
from pointsman.domain.targets import Recipient
from pointsman.store.base import Store
from pointsman.store.sqlite import SqliteStore
from tests.support.change_factory import change, item, new_id, submission, topic, wants
from tests.support.store_steps import take

T = topic("t")
A_DAY = 86_400_000_000


def unmatched(name: str, *, at: int = 0) -> Submission:
    decision = Decision(InputOutcome.UNMATCHED, activity="https://x.example.com/a")
    return submission(item(statement_id=name, decision=decision), at=at)


def decided(asked: Change) -> Submission:
    """What the mapping makes of a statement that a rule takes now."""
    decision = Decision(
        InputOutcome.APPLIED, rule="new", activity="https://x.example.com/a", changes=(asked,)
    )
    return submission(item(statement_id=asked.statement_id, decision=decision))


def dead(name: str) -> Submission:
    decision = Decision(InputOutcome.DEAD, reason="its rule failed: boom")
    return submission(item(statement_id=name, decision=decision))


def rubbish(body: bytes = b"rubbish", reason: str = "is not JSON") -> Submission:
    letter = DeadLetter(reason, "topic t, partition 0, offset 1", body)
    return Submission("kafka", body, 0, (), (letter,), None, all_or_nothing=False)


async def test_whoever_claimed_a_partition_before_can_store_nothing_of_it(store: Store) -> None:
    (first,) = await store.claim("g", [("t", 0)])
    assert first.offset == UNREAD
    mine = Position("g", "t", 0, 5, first.token)
    await take(store, submission(item(change("ana", T, 10)), position=mine, all_or_nothing=False))
    (second,) = await store.claim("g", [("t", 0)])
    assert (second.offset, second.token) == (5, first.token + 1)

    late = submission(item(change("ana", T, 90)), position=mine, all_or_nothing=False)
    good = wants(change("bea", T, 20))
    fenced, receipt = await store.ingest([late, good])
    assert fenced.fenced
    assert receipt.outcomes == {InputOutcome.APPLIED: 1}
    (lease,) = [
        one for one in await store.lease(now=1, ttl=1, limit=9) if one.recipient.id == "ana"
    ]
    assert [one.value for one in lease.desired] == [10]
    assert [one.offset for one in await store.positions("g")] == [5]
    assert (await store.books()).balanced


async def test_partitions_are_fenced_one_by_one_and_may_begin_again(store: Store) -> None:
    zero, one = await store.claim("g", [("t", 0), ("t", 1)])
    await store.claim("g", [("t", 1)])
    kept = Position("g", "t", 0, 900, zero.token)
    lost = Position("g", "t", 1, 900, one.token)
    receipts = await store.ingest(
        [
            submission(item(change("ana", T, 10)), position=where, all_or_nothing=False)
            for where in (kept, lost)
        ]
    )
    assert [receipt.fenced for receipt in receipts] == [False, True]
    # the topic was made anew, and its offsets begin with 0
    again = Position("g", "t", 0, 1, zero.token)
    await take(store, submission(item(change("ana", T, 11)), position=again, all_or_nothing=False))
    assert [at.offset for at in await store.positions("g")] == [1]


async def test_the_oldest_commits_are_forgotten_step_by_step_and_the_books_still_count_them(
    store: Store,
) -> None:
    names = [new_id() for _ in range(6)]
    await take(store, wants(change("ana", T, 10, statement_id=names[0])))
    await take(store, unmatched(names[1]))
    await take(store, dead(names[2]))
    before = (await store.books()).outcomes
    far = 2_000_000_000 * 1_000_000
    assert await store.prune(before=0, limit=9) == 0
    assert await store.prune(before=far, limit=2) == 2
    assert await store.statement(names[0]) is None
    assert await store.statement(names[2]) is not None
    assert await store.prune(before=far, limit=9) == 1
    assert await store.prune(before=far, limit=9) == 0
    books = await store.books()
    assert books.balanced, books
    assert books.outcomes == before
    # what is forgotten is not known any longer, and says nothing new
    receipt = await take(store, wants(change("ana", T, 10, statement_id=names[0])))
    assert receipt.outcomes == {InputOutcome.SUPERSEDED: 1}


async def test_dead_letters_are_listed_shown_and_dropped(store: Store) -> None:
    await take(store, rubbish())
    await take(store, rubbish(b"more", "is too deep"))
    await take(store, dead(new_id()))
    found = await store.dead_letters(limit=9)
    assert [(one.source, one.in_statements) for one in found] == [
        *(("kafka", False), ("kafka", False)),
        ("test", True),
    ]
    assert all(one.body == b"" for one in found)
    assert [one.reason for one in await store.dead_letters(reason_prefix="is t", limit=9)] == [
        "is too deep"
    ]
    assert len(await store.dead_letters(source="kafka", limit=1)) == 1
    assert len(await store.dead_letters(after=found[0].id, limit=9)) == 2
    shown = await store.dead_letter(found[0].id)
    assert shown is not None
    assert shown.body == b"rubbish"
    assert await store.drop_dead_letters([one.id for one in found] + [found[0].id, 10**9]) == 3
    assert await store.dead_letters(limit=9) == []
    assert await store.dead_letter(found[0].id) is None
    books = await store.books()
    assert books.balanced, books
    assert books.outcomes[InputOutcome.DEAD] == 3


async def test_a_dead_letter_that_can_be_read_at_last_becomes_what_it_says(store: Store) -> None:
    await take(store, rubbish())
    (letter,) = await store.dead_letters(limit=9)
    receipt = await store.replace_dead_letter(letter.id, wants(change("ana", T, 30)))
    assert receipt is not None
    assert receipt.outcomes == {InputOutcome.APPLIED: 1}
    books = await store.books()
    assert books.balanced, books
    assert (books.accepted, books.dirty, books.outcomes[InputOutcome.DEAD]) == (1, 1, 0)
    assert await store.replace_dead_letter(letter.id, wants(change("ana", T, 40))) is None
    assert (await store.books()).accepted == 1


async def test_a_dead_letter_that_is_known_by_now_counts_no_more_and_a_conflict_stays(
    store: Store,
) -> None:
    known = wants(change("ana", T, 30))
    await take(store, known)
    await take(store, rubbish())
    await take(store, rubbish(b"conflict"))
    first, second = await store.dead_letters(limit=9)
    receipt = await store.replace_dead_letter(first.id, known)
    assert receipt is not None
    assert receipt.duplicates == 1
    (twin,) = known.items
    other = submission(item(*twin.decision.changes, statement_id=twin.statement_id, digest=99))
    receipt = await store.replace_dead_letter(second.id, other)
    assert receipt is not None
    assert receipt.conflicts == (twin.statement_id,)
    assert [one.id for one in await store.dead_letters(limit=9)] == [second.id]
    books = await store.books()
    assert books.balanced, books
    assert books.accepted == 2


async def test_statements_are_remembered_page_by_page_with_their_outcomes(store: Store) -> None:
    names = [new_id() for _ in range(5)]
    for name in names[:3]:
        await take(store, wants(change("ana", T, 10, statement_id=name)))
    await store.ingest([unmatched(name) for name in names[3:]])
    found = []
    cursor = None
    while page := await store.statements_since(since=0, after=cursor, limit=2):
        found += page
        cursor = page[-1].cursor
    assert sorted(one.statement.statement_id for one in found) == sorted(names)
    assert [one.outcome for one in found] == [
        *(InputOutcome.APPLIED, InputOutcome.SUPERSEDED, InputOutcome.SUPERSEDED),
        *(InputOutcome.UNMATCHED, InputOutcome.UNMATCHED),
    ]
    assert found[0].statement.body == b"{}"
    assert await store.statements_since(since=2_000_000_000 * 1_000_000, after=None, limit=9) == []


@pytest.mark.parametrize("dry_run", [True, False])
async def test_deciding_anew_moves_state_forward_and_keeps_the_books(
    store: Store, dry_run: bool
) -> None:
    names = [new_id() for _ in range(4)]
    await take(store, wants(change("ana", T, 10, statement_id=names[0])))
    await take(store, unmatched(names[1]))
    await take(store, unmatched(names[2]))
    await take(store, dead(names[3]))
    before = await store.books()
    result = await store.redecide(
        [
            decided(change("ana", T, 10, statement_id=names[0])),
            decided(change("ana", T, 60, statement_id=names[1])),
            decided(change("bea", T, 70, statement_id=names[3])),
            decided(change("eve", T, 70, statement_id=new_id())),  # of what nobody knows
        ],
        now=7,
        dry_run=dry_run,
    )
    assert result.outcomes == {
        (InputOutcome.UNMATCHED, InputOutcome.APPLIED): 1,
        (InputOutcome.DEAD, InputOutcome.APPLIED): 1,
    }
    assert [(one.recipient.id, one.before, one.after) for one in result.moves] == [
        ("ana", 10, 60),
        ("bea", None, 70),
    ]
    books = await store.books()
    assert books.balanced, books
    if dry_run:
        assert books == before
        assert len(await store.dead_letters(limit=9)) == 1
    else:
        assert books.accepted == before.accepted
        assert (books.outcomes[InputOutcome.APPLIED], books.outcomes[InputOutcome.UNMATCHED]) == (
            3,
            1,
        )
        assert books.outcomes[InputOutcome.DEAD] == 0
        assert await store.dead_letters(limit=9) == []
        (left,) = await store.unmatched(limit=9)
        assert left.inputs == 1
        assert {one.recipient.id for one in await store.lease(now=9, ttl=1, limit=9)} == {
            "ana",
            "bea",
        }


async def test_a_new_decision_may_say_less_and_nothing_moves_back(store: Store) -> None:
    name = new_id()
    await take(store, wants(change("ana", T, 50, statement_id=name)))
    result = await store.redecide([unmatched(name)], now=7, dry_run=False)
    assert result.outcomes == {(InputOutcome.APPLIED, InputOutcome.UNMATCHED): 1}
    assert result.moves == ()
    books = await store.books()
    assert books.balanced, books
    assert books.desired == 1


async def test_unmatched_activities_are_listed_the_most_frequent_first(store: Store) -> None:
    other = Decision(InputOutcome.UNMATCHED, activity="https://x.example.com/b")
    await take(store, submission(item(decision=other), at=3))
    name = new_id()
    await take(store, unmatched(name, at=1))
    await take(store, unmatched(new_id(), at=5))
    first, second = await store.unmatched(limit=9)
    assert (first.activity, first.inputs, first.sample_id) == ("https://x.example.com/a", 2, name)
    assert (first.first_at, first.last_at) == (1, 5)
    assert second.inputs == 1


async def test_parked_state_is_listed_by_learner_and_reason(store: Store) -> None:
    await take(store, wants(change("ana", T, 50)))
    assert await store.parked(limit=9) == []
    assert await store.parked([Recipient.learner("ana")], reason_prefix="", limit=9) == []


async def test_what_the_store_holds_is_told(store: Store) -> None:
    await take(store, wants(change("ana", T, 50), change("ana", topic("u"), 50)))
    stats = await store.stats()
    assert (stats.rows["statements"], stats.rows["desired"], stats.rows["learners"]) == (1, 2, 1)
    assert sum(stats.bytes.values()) > 0
    assert stats.oldest_statement is not None
    assert stats.schema >= 1


async def test_a_text_may_hold_what_a_database_has_no_sign_for(store: Store) -> None:
    body = b'{"x": "\\u0000"}'
    asked = change("a\0na@example.com", topic("t\0"), 50)
    await store.ingest([submission(item(asked), body=body)])
    await store.ingest([submission(item(change("a\0na@example.com", topic("t\0"), 60)), body=body)])
    books = await store.books()
    assert books.balanced, books
    assert (books.accepted, books.desired, books.outcomes[InputOutcome.APPLIED]) == (2, 1, 2)


async def test_the_room_on_the_volume_is_told_where_it_is_seen(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = SimpleNamespace(total=1_000, used=970, free=30)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: volume)
    expected = 0.03 if isinstance(store, SqliteStore) else 1.0
    assert (await store.backlog()).free_part == expected
