"""What every store must hold about inputs: each counted once, each body as it came."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.log_positions import UNREAD, WHOLE_TOPIC, Position
from pointsman.domain.records import (
    DeadLetter,
    Decision,
    Falls,
    InputOutcome,
    Item,
    Receipt,
    Submission,
)
from pointsman.domain.targets import Value
from pointsman.store.base import Store
from pointsman.store.sqlite import SqliteStore
from tests.support.change_factory import (
    change,
    course,
    each,
    item,
    new_id,
    submission,
    topic,
    wants,
)
from tests.support.store_steps import lease_one, leased_values, take

T, OTHER = topic("t"), topic("other")


def message(*items: Item, offset: int = 7, body: bytes = b"{}", dead: int = 0) -> Submission:
    """A message of a log, which can't be told that it is refused."""
    taken = submission(
        *items,
        body=body,
        position=Position("group", "lessons", 3, offset + 1),
        all_or_nothing=False,
    )
    letters = tuple(
        DeadLetter("no statement", f"lessons 3 {offset} {n}", b"1") for n in range(dead)
    )
    return replace(taken, dead=letters)


async def test_the_first_change_of_a_target_is_dirty_from_its_arrival(store: Store) -> None:
    first = change("ana", T, 40, at=5, registration="r", after=(OTHER,))
    assert await take(store, wants(first, at=7)) == Receipt({InputOutcome.APPLIED: 1})
    (state,) = (await lease_one(store)).desired
    assert (state.recipient.id, state.target, state.value, state.version) == ("ana", T, 40, 1)
    assert (state.occurred_at, state.since, state.changed_at, state.after) == (5, 7, 7, (OTHER,))
    assert (state.statement_id, state.rule, state.failures) == (first.statement_id, "a rule", 0)


async def test_a_change_that_moves_nothing_is_superseded(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    assert await take(store, wants(change("ana", T, 30))) == Receipt({InputOutcome.SUPERSEDED: 1})
    assert await take(store, wants(change("ana", T, 40))) == Receipt({InputOutcome.SUPERSEDED: 1})
    assert await take(store, wants(change("ana", T, 50))) == Receipt({InputOutcome.APPLIED: 1})
    assert await leased_values(store) == [50]


async def test_a_statement_that_moves_one_of_its_targets_is_applied(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    both = (change("ana", T, 30), change("ana", course("c"), "started"))
    assert await take(store, wants(*both)) == Receipt({InputOutcome.APPLIED: 1})


async def test_changes_of_one_commit_see_one_another(store: Store) -> None:
    receipts = await store.ingest(each([change("ana", T, value) for value in (10, 30, 20, 40)]))
    applied, superseded = Receipt({InputOutcome.APPLIED: 1}), Receipt({InputOutcome.SUPERSEDED: 1})
    assert receipts == [applied, applied, superseded, applied]
    (state,) = (await lease_one(store)).desired
    assert (state.value, state.version) == (40, 3)


async def test_attempts_are_remembered_between_commits(store: Store) -> None:
    for registration, value, at in (("one", 90, 1), ("two", 10, 5), ("one", 95, 3)):
        one = change("ana", T, value, at=at, registration=registration, falls=Falls.NEW_ATTEMPT)
        await take(store, wants(one))
    assert await leased_values(store) == [10]


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["ana", "bea"]),
        st.integers(0, 100),
        st.integers(0, 5),
        st.sampled_from([None, "r1", "r2"]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("falls", Falls)
@settings(max_examples=20, deadline=None)
@given(said=CHANGES, data=st.data())
def test_how_changes_are_ordered_and_shared_among_commits_does_not_matter(
    falls: Falls,
    said: list[tuple[str, int, int, str | None, int]],
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    changes = [
        (change(who, T, value, at=at, registration=registration, falls=falls), commit)
        for who, value, at, registration, commit in said
    ]
    shuffled = data.draw(st.permutations(changes))

    async def final(one_by_one: bool) -> dict[str, Value]:
        opened = SqliteStore(tmp_path_factory.mktemp("order") / "store.db", threaded=False)
        await opened.open()
        if one_by_one:
            for one, _ in changes:
                await opened.ingest([wants(one)])
        else:
            for commit in range(4):
                await opened.ingest([wants(one) for one, when in shuffled if when == commit])
        leases = await opened.lease(now=1, ttl=1, limit=9)
        assert (await opened.books()).balanced
        await opened.close()
        return {lease.recipient.id: lease.desired[0].value for lease in leases}

    assert asyncio.run(final(one_by_one=True)) == asyncio.run(final(one_by_one=False))


async def test_a_statement_that_is_known_is_a_duplicate_and_moves_nothing(store: Store) -> None:
    falling = change("ana", T, 40, at=1, falls=Falls.ALWAYS)
    await take(store, wants(falling))
    await take(store, wants(change("ana", T, 20, at=2, falls=Falls.ALWAYS)))
    assert await take(store, wants(falling)) == Receipt({}, duplicates=1)
    assert await leased_values(store) == [20]
    assert (await store.books()).accepted == 2


async def test_duplicates_are_known_within_a_commit_and_within_a_submission(store: Store) -> None:
    twice = item(change("ana", T, 40))
    receipts = await store.ingest([submission(twice, twice), submission(twice)])
    assert receipts == [Receipt({InputOutcome.APPLIED: 1}, duplicates=1), Receipt({}, duplicates=1)]
    assert (await store.books()).accepted == 1


async def test_submissions_at_the_same_time_get_their_own_receipts(store: Store) -> None:
    same = wants(change("ana", T, 40))
    receipts = await asyncio.gather(*(store.ingest([same]) for _ in range(20)))
    assert sum(one.outcomes.get(InputOutcome.APPLIED, 0) for (one,) in receipts) == 1
    assert sum(one.duplicates for (one,) in receipts) == 19


async def test_a_conflict_refuses_the_whole_of_a_submission_that_can_be_told(store: Store) -> None:
    known = item(change("ana", T, 40))
    await take(store, submission(known))
    before = await store.books()
    batch = submission(item(change("ana", T, 90)), replace(known, digest=2))
    assert await take(store, batch) == Receipt({}, conflicts=(known.statement_id,))
    assert await store.books() == before
    assert await leased_values(store) == [40]


async def test_a_conflict_of_one_submission_does_not_refuse_its_neighbours(store: Store) -> None:
    known = item(change("ana", T, 40))
    receipts = await store.ingest(
        [submission(known), submission(replace(known, digest=2)), wants(change("bea", T, 50))]
    )
    assert [sum(one.outcomes.values()) for one in receipts] == [1, 0, 1]
    assert receipts[1].conflicts == (known.statement_id,)


async def test_a_conflict_in_a_log_is_a_dead_letter_and_the_rest_is_applied(store: Store) -> None:
    known = item(change("ana", T, 40))
    await take(store, submission(known))
    other = item(change("ana", T, 90), index=0)
    log = message(other, replace(known, digest=2, index=1), body=b'[{"a":1},{"b":2}]')
    assert await take(store, log) == Receipt(
        {InputOutcome.APPLIED: 1, InputOutcome.DEAD: 1}, conflicts=(known.statement_id,)
    )
    assert (await store.backlog()).dead_letters == 1
    assert await leased_values(store) == [90]


def together(*items: Item, offset: int = 7) -> Submission:
    """Messages of one partition, each of which is a statement."""
    own = [
        replace(one, body=b'{"n":%d}' % place, offset=offset + place)
        for place, one in enumerate(items)
    ]
    body = b"".join(one.body or b"" for one in own)
    return message(*own, offset=offset + len(own) - 1, body=body)


async def test_messages_that_are_stored_together_are_each_kept_as_they_came(store: Store) -> None:
    known = item(change("ana", T, 40))
    await take(store, submission(known, body=b'{"n":0}'))
    bad = item(decision=Decision(InputOutcome.DEAD, reason="its rule failed"))
    taken = item(change("ana", T, 95))
    log = together(
        known,
        item(change("ana", T, 90)),
        replace(known, digest=2),
        bad,
        taken,
        replace(taken, digest=3),
    )
    assert await take(store, log) == Receipt(
        {InputOutcome.APPLIED: 2, InputOutcome.DEAD: 3},
        duplicates=1,
        conflicts=(known.statement_id, taken.statement_id),
    )
    for place, one in [(0, known), (1, log.items[1]), (3, bad), (4, taken)]:
        stored = await store.statement(one.statement_id)
        assert stored is not None
        assert (stored.body, stored.index) == (b'{"n":%d}' % place, None)
    letters = {letter.origin: letter.id for letter in await store.dead_letters(limit=9)}
    where = "topic lessons, partition 3, offset"
    assert set(letters) == {
        f"{where} 9, statement {known.statement_id}",
        f"statement {bad.statement_id}",
        f"{where} 12, statement {taken.statement_id}",
    }
    conflict = await store.dead_letter(letters[f"{where} 9, statement {known.statement_id}"])
    assert conflict is not None
    assert conflict.body == b'{"n":2}'
    assert [one.offset for one in await store.positions("group")] == [13]
    again = await take(store, log)
    assert (again.outcomes, again.duplicates) == ({}, 4)
    assert await leased_values(store) == [95]


async def test_a_log_that_is_read_again_adds_nothing(store: Store) -> None:
    known = item(change("ana", T, 40))
    await take(store, submission(known))
    bad = item(index=2, decision=Decision(InputOutcome.DEAD, reason="its rule failed"))
    log = message(
        item(change("ana", T, 90), index=0),
        replace(known, digest=2, index=1),
        bad,
        body=b'[{"a":1},{"b":2},{"c":3}]',
        dead=2,
    )
    first = await take(store, log)
    assert first.outcomes == {InputOutcome.APPLIED: 1, InputOutcome.DEAD: 4}
    before = await store.books()
    again = await take(store, log)
    assert (again.outcomes, again.duplicates) == ({}, 2)
    assert await store.books() == before
    assert (await store.backlog()).dead_letters == 4


async def test_no_submissions_are_no_trouble(store: Store) -> None:
    assert await store.ingest([]) == []
    assert await take(store, submission()) == Receipt({})
    assert (await store.books()).accepted == 0


async def test_a_body_is_read_back_to_the_byte_with_its_place_and_source(store: Store) -> None:
    one, two, three = (new_id() for _ in range(3))
    batch = b'[ {"a" : 1},\n {"b": "gr\xc3\xbcn"} ]'
    await store.ingest(
        [
            submission(
                item(statement_id=one, index=0),
                item(statement_id=two, index=1),
                body=batch,
                at=7,
                source="player",
            ),
            submission(item(statement_id=three), body=b'{"c": 3}', at=9),
        ]
    )
    for name, index in ((one, 0), (two, 1)):
        found = await store.statement(name)
        assert found is not None
        assert (found.statement_id, found.body, found.index) == (name, batch, index)
        assert (found.received_at, found.source) == (7, "player")
    found = await store.statement(three)
    assert found is not None
    assert (found.body, found.index, found.received_at) == (b'{"c": 3}', None, 9)


async def test_a_duplicate_keeps_the_body_that_came_first(store: Store) -> None:
    name = new_id()
    await take(store, submission(item(statement_id=name), body=b'{"a":1}', at=1))
    await take(store, submission(item(statement_id=name), body=b'{ "a":1}', at=2))
    found = await store.statement(name)
    assert found is not None
    assert (found.body, found.received_at) == (b'{"a":1}', 1)


async def test_a_refused_or_unknown_statement_has_no_body(store: Store) -> None:
    known, stranger = item(change("ana", T, 40)), new_id()
    await take(store, submission(known))
    await take(store, submission(item(statement_id=stranger), replace(known, digest=2)))
    assert await store.statement(stranger) is None


async def test_positions_go_with_the_commit_and_are_kept_for_each_group(store: Store) -> None:
    assert await store.positions("group") == []
    await store.ingest([message(offset=7), message(offset=8, dead=1)])
    elsewhere = submission(position=Position("other", "lessons", 3, 2), all_or_nothing=False)
    third = submission(position=Position("group", "lessons", 4, 1), all_or_nothing=False)
    await store.ingest([elsewhere, third])
    assert sorted(one.offset for one in await store.positions("group")) == [1, 9]
    assert await store.positions("other") == [Position("other", "lessons", 3, 2)]


async def test_a_position_says_which_log_it_counts_in_and_the_last_record(store: Store) -> None:
    first = Position("group", "lessons", 3, 8, log_id="a/b", last_record="7 1 2")
    await store.ingest([submission(position=first, all_or_nothing=False)])
    assert await store.positions("group") == [first]
    (claimed,) = await store.claim("group", [("lessons", 3)])
    assert claimed == replace(first, token=1)
    anew = Position("group", "lessons", 3, 0, 1, log_id="a/c")
    await store.ingest([submission(position=anew, all_or_nothing=False)])
    assert await store.positions("group") == [anew]


async def test_a_topics_own_row_is_claimed_and_is_no_position(store: Store) -> None:
    (row,) = await store.claim("group", [("lessons", WHOLE_TOPIC)])
    assert row.offset == UNREAD
    settled = replace(row, offset=2, log_id="a/b")
    await store.ingest([submission(position=settled, all_or_nothing=False)])
    assert await store.positions("group") == []
    assert await store.claim("group", [("lessons", WHOLE_TOPIC)]) == [replace(settled, token=2)]


async def test_unmatched_activities_are_counted_and_sampled(store: Store) -> None:
    unmatched = Decision(InputOutcome.UNMATCHED, activity="http://example.com/x")
    one, two, three = (item(decision=unmatched) for _ in range(3))
    receipts = await store.ingest([submission(one, two), submission(three)])
    assert [receipt.outcomes for receipt in receipts] == [
        {InputOutcome.UNMATCHED: 2},
        {InputOutcome.UNMATCHED: 1},
    ]
    assert await take(store, submission(item(decision=unmatched))) == Receipt(
        {InputOutcome.UNMATCHED: 1}
    )
    assert (await store.backlog()).unmatched == 4


@pytest.mark.parametrize(
    "outcome", [InputOutcome.NO_EFFECT, InputOutcome.UNMATCHED, InputOutcome.DEAD]
)
async def test_a_statement_without_changes_is_known_by_its_id_all_the_same(
    store: Store, outcome: InputOutcome
) -> None:
    one = item(decision=Decision(outcome, reason="why", activity="http://example.com/x"))
    assert await take(store, submission(one)) == Receipt({outcome: 1})
    assert await take(store, submission(one)) == Receipt({}, duplicates=1)
    conflict = submission(replace(one, digest=2))
    assert await take(store, conflict) == Receipt({}, conflicts=(one.statement_id,))
    assert await store.next_ready_at() is None


async def test_dead_letters_alike_from_different_places_are_different(store: Store) -> None:
    assert await take(store, message(offset=7, dead=1)) == Receipt({InputOutcome.DEAD: 1})
    assert await take(store, message(offset=8, dead=1)) == Receipt({InputOutcome.DEAD: 1})
    assert (await store.backlog()).dead_letters == 2


async def test_every_outcome_is_in_the_books_once(store: Store) -> None:
    moved = change("ana", T, 40)
    await take(store, wants(moved))
    await take(store, wants(change("ana", T, 30)))
    for outcome in (InputOutcome.NO_EFFECT, InputOutcome.UNMATCHED, InputOutcome.DEAD):
        await take(store, submission(item(decision=Decision(outcome, activity="http://e.com/x"))))
    await take(store, message(dead=1))
    books = await store.books()
    assert books.accepted == 6
    assert books.outcomes == {
        InputOutcome.APPLIED: 1,
        InputOutcome.SUPERSEDED: 1,
        InputOutcome.NO_EFFECT: 1,
        InputOutcome.UNMATCHED: 1,
        InputOutcome.DEAD: 2,
    }
    assert (books.desired, books.delivered, books.dirty, books.parked) == (1, 0, 1, 0)


@pytest.mark.parametrize("body", [rb'{"name": "\u0000"}', b'{"id": "https://example.com/a%00b"}'])
async def test_a_nul_in_a_name_hides_no_state(store: Store, body: bytes) -> None:
    target = topic("topic\0one")
    for percentage, outcome in ((60, InputOutcome.APPLIED), (30, InputOutcome.SUPERSEDED)):
        said = submission(item(change("ana\0", target, percentage, after=(target,))), body=body)
        assert (await take(store, said)).outcomes == {outcome: 1}
    assert await leased_values(store) == [60]
