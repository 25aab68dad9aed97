"""The intake loop: batches of statements -> observations -> decisions -> store.

All sources use it, so that HTTP and Kafka can't come to differ in what they accept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import repeat
from types import MappingProxyType
from typing import Any, Protocol

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import InputRefused, StatementConflict
from pointsman.domain.launch import Launch
from pointsman.domain.log_positions import Position
from pointsman.domain.records import (
    DeadLetter,
    Decision,
    Item,
    LeftOut,
    Observation,
    Receipt,
    Submission,
)
from pointsman.domain.statement_ids import StatementIds
from pointsman.domain.statement_reading import StatementReading
from pointsman.sources.batch import Accepted, BatchReader, LogMessage, StatementBatch
from pointsman.sources.batch_letters import letter_of_message, letters_of_message
from pointsman.sources.decisions import no_effect, rule_failed, with_left_out
from pointsman.sources.message_runs import runs
from pointsman.sources.parse_thread import LARGE, in_thread
from pointsman.sources.players import LaunchCache, add_launch_context, authorize_statements
from pointsman.sources.refused_learners import RefusedLearners
from pointsman.sources.stored_statement import valid_again
from pointsman.statements import (
    VOIDED,
    Limits,
    NoEffect,
    Valid,
    actor_of,
    authority_key,
    clock_offset,
    index_keys,
    observe,
    referenced_statement,
    registrations_of,
)
from pointsman.store.base import IngestStore, StoredStatement
from pointsman.store.statement_conflicts import item_body

#: seconds that a timestamp may be from its arrival; players send late what was done offline
_FAR_AHEAD, _FAR_BEHIND = 300.0, 30 * 86_400.0
#: makes statements of what is none. Raises `InputRefused`
Adapt = Callable[[bytes], list[dict[str, Any]]]


class Decider(Protocol):
    """Stage 3: what an observation asks for, and one of this launch."""

    def decide(self, seen: Observation, launch: Launch | None = None) -> Decision: ...


class Pipeline:
    """`on_receipts` is told of all that was stored: for counting, and to wake the delivery.

    `authority_home_page` with a source's name is the authority of what that source sends.
    `launches` are known where there are any; `adapters` make statements of a source's dead letters
    of an origin, where they were none. `on_batch` is told of every batch before it is stored,
    `on_left_out` of each reading that was left out: its source, its statement, and why.
    `ids` are those of statements that are made here, with the store's secret.
    `on_clock_off` is told the source and id of a statement whose timestamp is far from its
    arrival, and the seconds that it is ahead. What `refused` leaves out is not taken.
    `on_name` is told what actors are called. This one, `on_batch` and `on_clock_off` are called in
    any thread.
    """

    def __init__(
        self,
        store: IngestStore,
        mapping: Decider,
        limits: Limits,
        clock: Clock,
        on_receipts: Callable[[Sequence[Submission], Sequence[Receipt]], None],
        authority_home_page: str = "",
        launches: LaunchCache | None = None,
        adapters: Mapping[tuple[str, str], Adapt] = MappingProxyType({}),
        on_batch: Callable[[StatementBatch], None] = lambda _batch: None,
        on_left_out: Callable[[str, str, LeftOut], None] = lambda *_: None,
        on_clock_off: Callable[[str, str, float], None] = lambda *_: None,
        ids: StatementIds | None = None,
        refused: RefusedLearners | None = None,
        on_name: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self._on_name = on_name
        self._refused = refused
        self.adapters = adapters
        self.reader = BatchReader(limits, ids)
        self._limits = limits
        self._launches = launches
        # there are few sources, and each statement has the key of its own
        self._authority_key = cache(partial(authority_key, authority_home_page))
        self._store = store
        self._mapping = mapping
        self._clock = clock
        self._on_receipts = on_receipts
        self._on_batch = on_batch
        self._on_left_out = on_left_out
        self._on_clock_off = on_clock_off

    def reconfigure(self, mapping: Decider, adapters: Mapping[tuple[str, str], Adapt]) -> None:
        """From now on decide so; what is being decided about ends as it began."""
        self._mapping = mapping
        self.adapters = adapters

    async def accept(self, batch: StatementBatch) -> Accepted:
        """Store a batch; its statements' ids, in order, after the commit.

        Raises `Forbidden` when its launch may not say it, `StatementConflict` when an id is known
        with other content, and `StoreUnavailable`; in each case nothing was accepted.
        """
        ids = [item.statement_id for item in batch.items]
        batch = self._without_refused(batch)
        if not batch.items:
            return Accepted(ids)
        if batch.launch is None and self._launches is not None:
            await self._launches.prepare_registrations(registrations_of(batch.items))
        if len(batch.body) > LARGE:
            submission = await in_thread(partial(self._launched_submission, batch))
        else:
            submission = self._launched_submission(batch)
        (receipt,) = await self.ingest([submission])
        if receipt.conflicts and batch.all_or_nothing:
            raise StatementConflict(receipt.conflicts)
        return Accepted(ids, already_stored=receipt.duplicates == len(ids))

    def _launched_submission(self, batch: StatementBatch) -> Submission:
        """Of a request; what a launched player states becomes its launch's. Raises `Forbidden`."""
        if batch.launch is not None:
            authorize_statements(batch.launch, batch.items)
            batch = add_launch_context(batch, batch.launch)
        return self.submission(batch)

    def _without_refused(self, batch: StatementBatch) -> StatementBatch:
        if self._refused is None or not self._refused.is_any:
            return batch
        return self._refused.leave_out(batch)

    async def keep_dead_letter(self, source: str, body: bytes, reason: str, origin: str) -> None:
        """Keep an input that was not understood, whole. Raises `StoreUnavailable`."""
        letter = DeadLetter(reason, origin, body)
        await self.ingest([Submission(source, body, micros(self._clock.now()), (), (letter,))])

    async def prepare(self, bodies: Iterable[bytes]) -> None:
        """Know the launches that these bodies name, before one of them is read.

        Raises `StoreUnavailable`.
        """
        if self._launches is not None:
            await self._launches.prepare(bodies)

    async def launch(self, registration: str) -> Launch | None:
        """Raises `StoreUnavailable`."""
        return None if self._launches is None else await self._launches.find(registration)

    def submission(
        self,
        batch: StatementBatch,
        dead: tuple[DeadLetter, ...] = (),
        position: Position | None = None,
    ) -> Submission:
        """What the store is given of a batch: its statements, decided about. In any thread.

        `dead` is what of it was not understood, and `position` how far its log is read with it.
        """
        received_at = micros(self._clock.now())
        self._on_batch(batch)
        for name in {item.statement.actor.name or "" for item in batch.items} - {""}:
            self._on_name(name)
        for item in batch.items:
            offset = clock_offset(item, received_at)
            if not -_FAR_BEHIND <= offset <= _FAR_AHEAD:
                self._on_clock_off(batch.source, item.statement_id, offset)
        items = [
            self._item(item, batch.source, received_at, batch.launch, batch.former_ids, message)
            for item, message in zip(batch.items, batch.messages or repeat(None), strict=False)
        ]
        return Submission(  # by position, for it is often of one statement
            batch.source,
            batch.body,
            received_at,
            tuple(items),
            dead,
            position,
            batch.all_or_nothing,
            batch.attachments,
            batch.version,
        )

    def read_messages(self, messages: Sequence[LogMessage]) -> list[Submission]:
        """Messages of a log, in order; those that can share a submission do. In any thread."""
        if self._refused is not None and self._refused.is_any:
            return [self.read_message(message) for message in messages]
        return [
            self.read_message(run)
            if isinstance(run, LogMessage)
            else self.submission(run, position=run.messages[-1].position)
            for run in runs(messages, self._limits)
        ]

    def read_message(self, message: LogMessage) -> Submission:
        """One message of a log as a submission. What can't be understood is a dead letter in it.

        In any thread.
        """
        try:
            batch = self._without_refused(self.reader.message(message))
        except InputRefused as error:
            return letter_of_message(message, str(error), micros(self._clock.now()))
        return self.submission(batch, letters_of_message(batch, message.origin), message.position)

    def read_again(self, stored: StoredStatement) -> Submission | None:
        """A statement that is stored, decided about again; None when it is valid no longer."""
        item = valid_again(stored, self._limits)
        if item is None:
            return None
        return Submission(
            stored.source,
            item_body(stored.body, stored.index),
            stored.received_at,
            (replace(self._item(item, stored.source, stored.received_at), index=None),),
        )

    def reading(self, stored: StoredStatement) -> StatementReading | None:
        """What a stored statement says, decided about again; None when it is valid no longer."""
        item = valid_again(stored, self._limits)
        return None if item is None else self.reading_of(item, stored.received_at)

    def reading_of(self, item: Valid, received_at: int) -> StatementReading:
        """The same of a statement that is stored nowhere."""
        seen = observe(item, received_at)
        return StatementReading(
            actor=actor_of(item.statement.actor),
            verb=item.statement.verb.id,
            activity=seen.activity,
            observation=None if isinstance(seen, NoEffect) else seen,
            decision=self._decide(item, received_at, None),
        )

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Store them; a receipt each, after the commit. Raises `StoreUnavailable`."""
        receipts = await self._store.ingest(submissions)
        self._on_receipts(submissions, receipts)
        for submission, receipt in zip(submissions, receipts, strict=True):
            if receipt.outcomes:
                self._tell_left_out(submission)
        return receipts

    def _tell_left_out(self, submission: Submission) -> None:
        for item in submission.items:
            for left_out in item.decision.left_out:
                self._on_left_out(submission.source, item.statement_id, left_out)

    def _item(
        self,
        valid: Valid,
        source: str,
        received_at: int,
        launch: Launch | None = None,
        former: Mapping[str, str] = MappingProxyType({}),
        message: LogMessage | None = None,
    ) -> Item:
        statement, refers_to = valid.statement, referenced_statement(valid.statement)
        return Item(
            valid.statement_id,
            valid.digest,
            valid.index,
            self._decide(valid, received_at, launch),
            tuple({self._authority_key(source), *index_keys(statement)}),
            refers_to,
            refers_to is not None and statement.verb.id == VOIDED,
            former.get(valid.statement_id),
            None if message is None else message.body,
            None if message is None or message.position is None else message.position.offset - 1,
        )

    def _decide(self, valid: Valid, received_at: int, launch: Launch | None) -> Decision:
        seen = observe(valid, received_at)
        if isinstance(seen, NoEffect):
            return no_effect(seen)
        if launch is None and self._launches is not None:
            launch = self._launches.speaking(seen)
        try:
            decision = self._mapping.decide(seen, launch)
        except Exception as error:  # noqa: BLE001 - whatever a rule does, the statement is kept
            return rule_failed(seen, error)
        return with_left_out(decision, seen.left_out) if seen.left_out else decision
