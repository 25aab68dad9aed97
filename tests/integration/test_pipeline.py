"""The intake with the real store: what becomes of every kind of input, and that it is counted."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import InputRefused, StatementConflict
from pointsman.domain.launch import Launch
from pointsman.domain.log_positions import Position
from pointsman.domain.records import Decision, InputOutcome, Observation, Submission
from pointsman.mapping import ConfiguredIdentity, Mapper, Rule, Template
from pointsman.sources.batch import Accepted, LogMessage
from pointsman.sources.pipeline import Pipeline
from pointsman.statements import Limits, StatementsRefused
from pointsman.store.sqlite import SqliteStore

RULE = Rule("topics", Template("http://example.com/{topic}"), topic_id=Template("{topic}"))
PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"


class FailingMapping:
    def decide(self, seen: Observation, launch: Launch | None = None) -> Decision:
        raise KeyError(seen.activity)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "store.db", threaded=False)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def intake(store: SqliteStore) -> Pipeline:
    mapping = Mapper([RULE], ConfiguredIdentity())
    return Pipeline(store, mapping, Limits(), SystemClock(), lambda *_: None)


def statement(percent: Any = 50, **changes: Any) -> dict[str, Any]:
    return {
        "actor": {"mbox": "mailto:ana@example.com"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/progressed"},
        "object": {"id": "http://example.com/one"},
        "result": {"extensions": {PROGRESS: percent}},
        **changes,
    }


def message(intake: Pipeline, body: object, offset: int = 7) -> Submission:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return intake.read_message(
        LogMessage(
            "bus",
            raw,
            f"topic lessons, partition 3, offset {offset}",
            Position("group", "lessons", 3, offset + 1),
        )
    )


async def post(intake: Pipeline, body: object, put_id: str | None = None) -> Accepted:
    """One request over HTTP."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await intake.accept(intake.reader.request("http", raw, put_id=put_id))


async def counts(store: SqliteStore) -> dict[str, int]:
    books = await store.books()
    assert books.balanced
    return {outcome.value: count for outcome, count in books.outcomes.items() if count}


async def test_every_outcome_is_counted_once_and_the_books_balance(
    store: SqliteStore, intake: Pipeline
) -> None:
    for one in (
        statement(50),
        statement(40),
        statement(object={"id": "http://elsewhere.example.com/x"}),
        statement(result={}),
        statement(actor={"objectType": "Group", "mbox": "mailto:team@example.com"}),
        statement(150),
        statement("almost done"),
    ):
        await post(intake, one)
    assert await counts(store) == {
        "applied": 1,
        "superseded": 1,
        "unmatched": 1,
        "no_effect": 4,
    }


COMPLETED = {"id": "http://adlnet.gov/expapi/verbs/completed"}
VIDEO = "https://w3id.org/xapi/video/extensions/"


@pytest.mark.parametrize(
    ("extensions", "reading"),
    [
        ({f"{VIDEO}time": 74.608, f"{VIDEO}progress": 1.000349}, "progress"),
        ({PROGRESS: "100%"}, "progress"),
        ({PROGRESS: 100.001}, "progress"),
        ({f"{VIDEO}played-segments": "0-75"}, "coverage"),
    ],
)
async def test_a_completion_whose_other_reading_makes_no_sense_is_done_and_the_reading_told(
    store: SqliteStore, extensions: dict[str, Any], reading: str
) -> None:
    told: list[tuple[str, str, str]] = []
    intake = Pipeline(
        store,
        Mapper([RULE], ConfiguredIdentity()),
        Limits(),
        SystemClock(),
        lambda *_: None,
        on_left_out=lambda source, sid, left_out: told.append((source, sid, left_out.reading)),
    )
    completed = statement(
        id=str(uuid.uuid4()),
        verb=COMPLETED,
        result={"completion": True, "extensions": extensions},
    )
    await post(intake, completed)
    (lease,) = await store.lease(now=0, ttl=1, limit=1)
    assert [desired.value for desired in lease.desired] == [100]
    assert told == [("http", completed["id"], reading)]
    # what comes again is not counted again
    await post(intake, completed)
    assert len(told) == 1


async def test_the_same_statement_again_is_accepted_and_not_counted_again(
    store: SqliteStore, intake: Pipeline
) -> None:
    first = statement(id=str(uuid.uuid4()))
    reordered = dict(reversed(first.items()))
    assert await post(intake, first) == Accepted([first["id"]])
    again = await post(intake, reordered)
    assert again == Accepted([first["id"]], already_stored=True)
    assert await counts(store) == {"applied": 1}


async def test_an_id_with_other_content_refuses_its_whole_batch(
    store: SqliteStore, intake: Pipeline
) -> None:
    known = statement(id=str(uuid.uuid4()))
    await post(intake, known)
    batch = [statement(90), {**known, "result": {"completion": True}}]
    with pytest.raises(StatementConflict, match=known["id"]):
        await post(intake, batch)
    assert await counts(store) == {"applied": 1}


async def test_one_invalid_statement_refuses_its_whole_batch_and_is_named(
    store: SqliteStore, intake: Pipeline
) -> None:
    batch = [statement(), statement(verb={"id": "progressed"})]
    with pytest.raises(StatementsRefused, match=r"statement 1: verb\.id must be an absolute IRI"):
        await post(intake, batch)
    assert await counts(store) == {}


async def test_an_empty_batch_is_accepted_and_stores_nothing(
    store: SqliteStore, intake: Pipeline
) -> None:
    assert await post(intake, b"[]") == Accepted([])
    assert await counts(store) == {}


async def test_put_takes_the_id_of_the_request(intake: Pipeline, store: SqliteStore) -> None:
    chosen = str(uuid.uuid4())
    body = json.dumps(statement()).encode()
    assert await post(intake, body, put_id=chosen) == Accepted([chosen])
    other = json.dumps(statement(id=str(uuid.uuid4()))).encode()
    with pytest.raises(InputRefused, match=chosen):
        await post(intake, other, put_id=chosen)
    stored = await store.statement(chosen)
    assert stored is not None
    assert stored.body == body


async def test_a_message_that_is_no_json_is_a_dead_letter_with_its_place(
    store: SqliteStore, intake: Pipeline
) -> None:
    (receipt,) = await intake.ingest([message(intake, b"\xff not json")])
    assert receipt.outcomes == {InputOutcome.DEAD: 1}
    (letter,) = message(intake, b"\xff not json").dead
    assert letter.origin == "topic lessons, partition 3, offset 7"
    assert "not JSON" in letter.reason
    assert letter.body == b"\xff not json"
    assert await store.positions("group") == [Position("group", "lessons", 3, 8)]


async def test_a_bad_item_of_an_array_is_dead_and_the_others_are_applied(
    store: SqliteStore, intake: Pipeline
) -> None:
    array = [statement(10), {"verb": 1}, statement(20)]
    (receipt,) = await intake.ingest([message(intake, array)])
    assert receipt.outcomes == {InputOutcome.APPLIED: 2, InputOutcome.DEAD: 1}
    (letter,) = message(intake, array).dead
    assert letter.origin.endswith("offset 7, item 1")
    assert json.loads(letter.body) == {"verb": 1}


async def test_a_message_that_is_read_twice_is_applied_once_even_without_ids(
    store: SqliteStore, intake: Pipeline
) -> None:
    array = [statement(10), {"verb": 1}, statement(20)]
    await intake.ingest([message(intake, array)])
    (again,) = await intake.ingest([message(intake, array)])
    assert (again.outcomes, again.duplicates) == ({}, 2)
    assert await counts(store) == {"applied": 2, "dead": 1}


async def test_a_conflict_in_a_message_is_dead_and_never_applied(
    store: SqliteStore, intake: Pipeline
) -> None:
    known = statement(10, id=str(uuid.uuid4()))
    await intake.ingest([message(intake, known)])
    changed = {**known, "result": {"completion": True}}
    (receipt,) = await intake.ingest([message(intake, [changed, statement(20)], offset=8)])
    assert receipt.conflicts == (known["id"],)
    assert receipt.outcomes == {InputOutcome.APPLIED: 1, InputOutcome.DEAD: 1}
    (lease,) = await store.lease(now=2**60, ttl=1, limit=1)
    assert [one.value for one in lease.desired] == [20]


async def test_a_rule_that_fails_makes_a_dead_letter_and_the_statement_is_kept(
    store: SqliteStore,
) -> None:
    intake = Pipeline(store, FailingMapping(), Limits(), SystemClock(), lambda *_: None)
    (statement_id,) = (await post(intake, statement())).ids
    assert await store.statement(statement_id) is not None
    assert await counts(store) == {"dead": 1}


async def test_a_message_nested_deeper_than_can_be_written_is_a_dead_letter_as_it_came(
    store: SqliteStore, intake: Pipeline
) -> None:
    deep = b"[" + b'{"a":' * 300 + b"1" + b"}" * 300 + b"]"
    await intake.ingest([message(intake, deep)])
    (row,) = await store.dead_letters(limit=9)
    letter = await store.dead_letter(row.id)
    assert letter is not None
    assert letter.body == deep
    assert "nested deeper" in letter.reason
