"""What a store can't hold is the fault of that input alone, in every store.

Half a character stands for all of it: no database takes one, and nothing of what is parsed has one.
"""

from __future__ import annotations

import asyncio
import random
import string
from dataclasses import replace

import pytest

from pointsman.domain.errors import NotStorable
from pointsman.domain.log_positions import Position
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import DeadLetter, Decision, InputOutcome, Item, Submission
from pointsman.store.base import Document, DocumentKey, Settlement, Store
from tests.support.change_factory import change, item, submission, topic, wants
from tests.support.store_steps import take

HALF = "half \ud83d"
GOOD = Decision(InputOutcome.UNMATCHED, activity="https://content.example.com/good")
BAD = Decision(InputOutcome.UNMATCHED, activity=HALF)


def message(*decisions: Decision, offset: int = 7) -> Submission:
    """Statements of one Kafka message."""
    items = [item(decision=one, index=place) for place, one in enumerate(decisions)]
    body = b"[" + b",".join(b'{"n":%d}' % place for place in range(len(items))) + b"]"
    return submission(
        *items,
        body=body,
        position=Position("g", "t", 0, offset + 1),
        all_or_nothing=False,
    )


async def position(store: Store) -> int:
    (at,) = await store.claim("g", [("t", 0)])
    return at.offset


async def test_a_sender_that_can_be_told_is_told(store: Store) -> None:
    with pytest.raises(NotStorable, match="can't hold this"):
        await store.ingest([submission(item(decision=GOOD), item(decision=BAD))])
    books = await store.books()
    assert (books.balanced, books.accepted) == (True, 0)


async def test_who_shares_the_commit_is_not_affected(store: Store) -> None:
    bad = submission(item(decision=BAD))
    outcomes = await asyncio.gather(
        store.ingest([wants(change("ana", topic("t"), 10))]),
        store.ingest([bad]),
        store.ingest([wants(change("bob", topic("t"), 20))]),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [list, NotStorable, list]
    assert (await store.books()).accepted == 2


async def test_of_a_message_only_that_statement_becomes_a_dead_letter(store: Store) -> None:
    receipt = await take(store, message(GOOD, BAD, GOOD))
    assert receipt.outcomes == {InputOutcome.UNMATCHED: 2, InputOutcome.DEAD: 1}
    (letter,) = await store.dead_letters(limit=9)
    assert letter.origin.startswith("topic t, partition 0, offset 7, statement ")
    assert "can't hold this" in letter.reason
    whole = await store.dead_letter(letter.id)
    assert whole is not None
    assert whole.body == b'{"n":1}'
    assert await position(store) == 8


async def test_of_messages_that_are_stored_together_only_that_one_becomes_a_dead_letter(
    store: Store,
) -> None:
    own = [
        replace(item(decision=one), body=b'{"n":%d}' % place, offset=5 + place)
        for place, one in enumerate([GOOD, BAD, GOOD])
    ]
    log = replace(message(offset=7), items=tuple(own), body=b'{"n":0}{"n":1}{"n":2}')
    receipt = await take(store, log)
    assert receipt.outcomes == {InputOutcome.UNMATCHED: 2, InputOutcome.DEAD: 1}
    (letter,) = await store.dead_letters(limit=9)
    assert letter.origin == f"topic t, partition 0, offset 6, statement {own[1].statement_id}"
    whole = await store.dead_letter(letter.id)
    assert whole is not None
    assert whole.body == b'{"n":1}'
    stored = await store.statement(own[2].statement_id)
    assert stored is not None
    assert stored.body == b'{"n":2}'
    assert await position(store) == 8


async def test_beside_it_a_statement_whose_id_is_taken_becomes_a_dead_letter_too(
    store: Store,
) -> None:
    known = item(decision=GOOD)
    await take(store, submission(known, all_or_nothing=False))
    other = message(GOOD, BAD)
    taken = replace(other.items[0], statement_id=known.statement_id, digest=1 << 60)
    log = replace(other, items=(taken, other.items[1]))
    receipt = await take(store, log)
    assert (receipt.outcomes, receipt.conflicts) == (
        {InputOutcome.DEAD: 2},
        (known.statement_id,),
    )
    letters = [await store.dead_letter(one.id) for one in await store.dead_letters(limit=9)]
    assert sorted((letter.body, letter.statement_id) for letter in letters if letter) == [
        (b'{"n":0}', known.statement_id),
        (b'{"n":1}', other.items[1].statement_id),
    ]
    assert (await take(store, log)).outcomes == {}
    assert await position(store) == 8


async def test_a_message_that_comes_again_adds_nothing(store: Store) -> None:
    again = message(GOOD, BAD)
    await take(store, again)
    receipt = await take(store, again)
    assert (receipt.outcomes, receipt.duplicates) == ({}, 1)


async def test_the_letters_of_a_message_stay_when_it_is_taken_apart(store: Store) -> None:
    invalid = DeadLetter("is no statement", "topic t, partition 0, offset 7, item 2", b"{}")
    receipt = await take(store, replace(message(GOOD, BAD), dead=(invalid,)))
    assert receipt.outcomes == {InputOutcome.UNMATCHED: 1, InputOutcome.DEAD: 2}


async def test_an_import_gets_past_the_line(store: Store) -> None:
    lines = [message(GOOD, offset=1), message(BAD, offset=2), message(GOOD, offset=3)]
    receipts = await store.ingest(lines)
    assert [receipt.outcomes for receipt in receipts] == [
        {InputOutcome.UNMATCHED: 1},
        {InputOutcome.DEAD: 1},
        {InputOutcome.UNMATCHED: 1},
    ]
    assert await position(store) == 4
    assert (await store.books()).balanced


async def test_a_document_is_refused_by_its_name_and_others_are_not(store: Store) -> None:
    key = DocumentKey("state", "https://content.example.com/a", "ana", "", HALF)
    document = Document("text/plain", b"x", "tag", 1)
    with pytest.raises(NotStorable):
        await store.change_document(key, lambda _old: (document, None))
    with pytest.raises(NotStorable):
        await store.document(key)
    fine = replace(key, name="whole")
    await store.change_document(fine, lambda _old: (document, None))
    assert await store.document(fine) == document


async def test_a_name_too_long_for_an_index_is_no_outage(store: Store) -> None:
    letters = random.Random(1).choices(string.ascii_letters, k=20_000)
    long = replace(GOOD, activity="https://content.example.com/" + "".join(letters))
    statements: list[Item] = [item(decision=long, index=0), item(decision=GOOD, index=1)]
    whole = submission(*statements, body=b"[{},{}]", all_or_nothing=False)
    receipt = await take(store, whole)
    assert sum(receipt.outcomes.values()) == 2
    assert receipt.outcomes[InputOutcome.UNMATCHED] >= 1


async def test_a_turn_that_can_not_be_stored_sinks_none_that_is_settled_beside_it(
    store: Store,
) -> None:
    for learner in ("ana", "bea", "cleo"):
        await store.ingest([wants(change(learner, topic("t"), 40))])
    leases = await store.lease(now=1, ttl=1_000, limit=9)
    outcomes = await asyncio.gather(
        *(
            store.settle(
                lease,
                [Settlement(topic("t"), 1, "parked", reason, ParkCode.REFUSED_BY_PLATFORM)],
                now=2,
                ready_at=2,
            )
            for lease, reason in zip(leases, ("why", HALF, "why"), strict=True)
        ),
        return_exceptions=True,
    )
    assert [outcome if outcome is True else type(outcome) for outcome in outcomes] == [
        True,
        NotStorable,
        True,
    ]
    assert (await store.books()).parked == 2
