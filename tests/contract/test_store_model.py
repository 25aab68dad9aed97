"""Every store against an in-memory model, with operations in any order (hypothesis)."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections import Counter
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import asyncpg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from demo.database import Database
from pointsman.domain.evidence import Evidence
from pointsman.domain.log_positions import Position
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import (
    Change,
    DeadLetter,
    Decision,
    Falls,
    InputOutcome,
    Item,
    Submission,
)
from pointsman.domain.targets import Recipient, Target, TargetKind, Value
from pointsman.store.base import Lease, Settlement, Store
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore
from tests.support.databases import a_database
from tests.support.model_store import Key, ModelStore

T = TypeVar("T")
CODES = [ParkCode.REFUSED_BY_PLATFORM, ParkCode.NO_TOKEN]
RECIPIENTS = [Recipient.learner("ana"), Recipient.meeting("m")]
RULES = {"a": Falls.NEVER, "b": Falls.ALWAYS, "c": Falls.NEW_ATTEMPT}
Result = Literal["delivered", "untried", "parked", "retry"]
RESULTS: list[Result] = ["delivered", "delivered", "untried", "parked", "retry"]
#: microseconds
SECOND = 1_000_000

topics = st.sampled_from(sorted(RULES))
names = st.integers(1, 12).map(lambda number: str(uuid.UUID(int=number)))


@st.composite
def decisions(draw: st.DrawFn, statement_id: str) -> Decision:
    kind = draw(
        st.sampled_from(
            ["changes", "changes", "changes", "unmatched", "none", "course", "evidence", "evidence"]
        )
    )
    if kind == "unmatched":
        return Decision(InputOutcome.UNMATCHED, activity=draw(st.sampled_from(["x", "y"])))
    if kind == "none":
        return Decision(InputOutcome.NO_EFFECT)
    if kind == "evidence":
        return draw(together(statement_id))
    if kind == "course":
        value: Value = draw(st.sampled_from(["started", "completed"]))
        targets = {Target(TargetKind.COURSE_STATUS, "id:c"): (value, Falls.NEVER)}
    else:
        targets = {
            Target(TargetKind.TOPIC_PROGRESS, key): (draw(st.integers(0, 100)), RULES[key])
            for key in draw(st.sets(topics, min_size=1, max_size=2))
        }
    who, occurred_at = draw(st.sampled_from(RECIPIENTS)), draw(st.integers(0, 5))
    registration = draw(st.sampled_from([None, "r1", "r2"]))
    return Decision(
        InputOutcome.APPLIED,
        activity="x",
        changes=tuple(
            Change(who, target, value, occurred_at, statement_id, "r", registration, falls)
            for target, (value, falls) in sorted(targets.items())
        ),
    )


@st.composite
def together(draw: st.DrawFn, statement_id: str) -> Decision:
    """Slides of a topic, a video, two words for a course: each a part of what is to be there."""
    who, occurred_at = draw(st.sampled_from(RECIPIENTS)), draw(st.integers(0, 5))
    registration = draw(st.sampled_from([None, "r1", "r2"]))
    falls = draw(st.sampled_from([Falls.NEVER, Falls.NEW_ATTEMPT]))
    name = draw(st.sampled_from(["slides", "video", "unit"]))
    target, value = Target(TargetKind.TOPIC_PROGRESS, f"{name} {falls}"), 0
    key = f"{name} {falls} {registration if falls is Falls.NEW_ATTEMPT else ''}"
    if name == "slides":
        items = draw(st.frozensets(st.sampled_from("1234"), max_size=2))
        evidence = Evidence(key, 4, items)
    elif name == "video":
        starts = draw(st.lists(st.integers(0, 7), max_size=2))
        evidence = Evidence(key, 10, spans=tuple((start, start + 3) for start in starts))
    else:
        items = draw(st.frozensets(st.sampled_from(["completed", "passed"]), max_size=2))
        evidence = Evidence(key, 2, items, partial=False)
    change = Change(who, target, value, occurred_at, statement_id, "r", registration, falls)
    return Decision(
        InputOutcome.APPLIED, activity="x", changes=(replace(change, evidence=evidence),)
    )


@st.composite
def submissions(draw: st.DrawFn) -> Submission:
    items = tuple(
        Item(name, draw(st.sampled_from([1, 1, 1, 2])), None, draw(decisions(name)))
        for name in draw(st.lists(names, max_size=3))
    )
    dead = draw(
        st.lists(
            st.sampled_from([DeadLetter("bad", "here", b"1"), DeadLetter("bad", "there", b"2")]),
            max_size=1,
        )
    )
    body = b"{}" if items else b"x"
    alone = draw(st.booleans())
    return Submission("s", body, 1, items, tuple(dead), None, all_or_nothing=alone)


class StoreMachine(RuleBasedStateMachine):
    """A fresh store for each run; `kind` and `dsn` say which."""

    kind: ClassVar[str] = "sqlite"
    dsn: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.runner = self.stack.enter_context(asyncio.Runner())
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.model = ModelStore()
        self.now = 0
        self.lease: Lease | None = None
        self.old: list[Lease] = []
        self.leased: dict[Key, int] = {}
        if self.dsn:
            self.run(self._empty())
        self.store = self._open()

    def teardown(self) -> None:
        self.run(self.store.close())
        self.stack.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def _empty(self) -> None:
        store = PostgresStore(self.dsn)
        await store.open()
        await store.close()
        connection = await asyncpg.connect(self.dsn)
        tables = "accepted, blocks, statements, desired, learners, positions, dead_letters"
        await connection.execute(
            f"TRUNCATE {tables}, unmatched, forgotten, tokens, duties, evidence"
        )
        await connection.close()

    def _open(self) -> Store:
        store: Store
        if self.dsn:
            store = PostgresStore(self.dsn, connections=3)
        else:
            store = SqliteStore(self.folder / "store.db", threaded=False)
        self.run(store.open())
        return store

    @rule(batch=st.lists(submissions(), min_size=1, max_size=3))
    def ingest(self, batch: list[Submission]) -> None:
        self.compare(batch)

    @rule(one=submissions(), partition=st.integers(0, 1), old=st.booleans())
    def read_from_a_log(self, one: Submission, partition: int, old: bool) -> None:
        token = self.model.tokens[partition] - (1 if old else 0)
        offset = self.model.positions.get(partition, 0) + 1
        at = Position("g", "t", partition, offset, max(0, token))
        self.compare([Submission("s", one.body, 1, one.items, one.dead, at, one.all_or_nothing)])

    def compare(self, batch: list[Submission]) -> None:
        receipts = self.run(self.store.ingest(batch))
        for one, receipt in zip(batch, receipts, strict=True):
            outcomes, duplicates, conflicts, fenced = self.model.ingest(one)
            assert receipt.fenced == fenced
            assert receipt.outcomes == dict(outcomes)
            assert (receipt.duplicates, receipt.conflicts) == (duplicates, conflicts)

    @rule(partition=st.integers(0, 1))
    def claim(self, partition: int) -> None:
        (at,) = self.run(self.store.claim("g", [("t", partition)]))
        self.model.tokens[partition] += 1
        assert at.token == self.model.tokens[partition]
        assert at.offset == self.model.positions.get(partition, -1)

    @precondition(lambda self: self.lease is None)
    @rule()
    def take_a_lease(self) -> None:
        self.now += SECOND
        found = self.run(self.store.lease(now=self.now, ttl=10 * SECOND, limit=1))
        dirty = self.model.dirty()
        assert bool(found) == bool(dirty)
        if found:
            (self.lease,) = found
            wanted = {(self.lease.recipient, one.target): one.value for one in self.lease.desired}
            unparked = {key: value for key, value in wanted.items() if key not in self.model.parked}
            mine = {key: value for key, value in dirty.items() if key[0] == self.lease.recipient}
            assert unparked == mine
            self.leased = {key: self.model.moves[key] for key in wanted}

    @precondition(lambda self: self.lease is not None)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        assert self.lease is not None
        settled = []
        for one in self.lease.desired:
            key = (self.lease.recipient, one.target)
            if key in self.model.parked:
                continue
            result: Result = data.draw(st.sampled_from(RESULTS))
            code = data.draw(st.sampled_from(CODES)) if result == "parked" else None
            reason = f"{code}: no" if code is not None else ""
            settled.append(Settlement(one.target, one.version, result, reason, code))
            if result == "delivered":
                self.model.delivered[key] = self.leased[key]
            elif code is not None:
                self.model.parked[key] = code
        done = self.run(self.store.settle(self.lease, settled, now=self.now, ready_at=self.now))
        assert done
        self.old.append(self.lease)
        self.lease = None

    @precondition(lambda self: self.lease is not None)
    @rule()
    def let_the_lease_run_out(self) -> None:
        assert self.lease is not None
        self.old.append(self.lease)
        self.now += 60 * SECOND
        self.lease = None

    @precondition(lambda self: self.old)
    @rule()
    def settle_with_an_old_lease(self) -> None:
        """Also one that nobody has taken over yet may be settled once; a second time never."""
        old = self.old.pop()
        if self.lease is not None and self.lease.recipient == old.recipient:
            done = [Settlement(one.target, one.version, "delivered") for one in old.desired]
            assert not self.run(self.store.settle(old, done, now=self.now, ready_at=self.now))

    @rule(codes=st.sets(st.sampled_from(CODES)), begins=st.sampled_from(["", *CODES]))
    def unpark(self, codes: set[ParkCode], begins: str) -> None:
        freed = self.run(self.store.unpark(codes=codes, reason_prefix=begins))
        cured = [
            key
            for key, code in self.model.parked.items()
            if (not codes or code in codes) and code.startswith(begins)
        ]
        assert freed == len(cured)
        for key in cured:
            del self.model.parked[key]

    @rule()
    def begin_anew(self) -> None:
        self.run(self.store.close())
        self.store = self._open()
        if self.lease is not None and not self.dsn:
            self.lease = None  # one daemon has the file: what it had leased is free
        elif self.lease is not None:
            self.let_the_lease_run_out()

    @invariant()
    def the_books_agree(self) -> None:
        books = self.run(self.store.books())
        assert books.balanced, books
        assert +Counter(books.outcomes) == +self.model.outcomes()
        assert (books.desired, books.parked) == (len(self.model.desired()), len(self.model.parked))
        assert books.dirty == len(self.model.dirty())
        listed = self.run(self.store.unmatched(limit=9))
        assert {one.activity: one.inputs for one in listed} == dict(self.model.unmatched)
        at = {one.partition: one.offset for one in self.run(self.store.positions("g"))}
        assert at == self.model.positions


_SETTINGS = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_a_store_is_what_the_model_is_sqlite() -> None:
    machine = type("SqliteMachine", (StoreMachine,), {})
    machine.TestCase.settings = _SETTINGS  # type: ignore[attr-defined]
    case = machine.TestCase()  # type: ignore[attr-defined]
    case.runTest()


def test_a_store_is_what_the_model_is_postgresql(database: Database) -> None:
    with a_database(database) as dsn:
        machine = type("PostgresMachine", (StoreMachine,), {"dsn": dsn})
        machine.TestCase.settings = settings(_SETTINGS, max_examples=15)  # type: ignore[attr-defined]
        case = machine.TestCase()  # type: ignore[attr-defined]
        case.runTest()
