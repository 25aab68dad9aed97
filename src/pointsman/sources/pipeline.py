"""The intake loop's one road: bytes -> statements -> observations -> decisions -> store.

Every source takes it, so that HTTP and Kafka can't come to differ in what they accept.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import InputRefused, StatementConflict
from pointsman.domain.launch import Launch, covers, same_actor
from pointsman.domain.records import (
    DeadLetter,
    Decision,
    InputOutcome,
    Item,
    Observation,
    Position,
    Receipt,
    Submission,
)
from pointsman.sources.batch import Accepted, valid_items
from pointsman.sources.players import (
    LaunchCache,
    add_launch_context,
    authorize_statements,
    ids_to_assign,
)
from pointsman.statements import (
    VOIDED,
    Invalid,
    Limits,
    NoEffect,
    ReadingRefused,
    Valid,
    authority_key,
    guessed_type,
    index_keys,
    media_type,
    observe,
    parse,
    reference,
    unpack,
)
from pointsman.store.base import IngestStore, StoredStatement
from pointsman.store.plan import item_body

#: statement ids for inputs that bring none and may be read twice
_NAMESPACE = uuid.UUID("5d1c1f0e-8a63-4a5f-9d2b-6f0a0f3f7a11")
_JSON = "application/json"
#: makes statements of what is none. Raises `InputRefused`
Adapt = Callable[[bytes], list[dict[str, Any]]]


class Decider(Protocol):
    """Stage 3: what an observation asks for, and one of this launch."""

    def decide(self, seen: Observation, launch: Launch | None = None) -> Decision: ...


class Pipeline:
    """`on_receipts` is told of all that was stored: for counting, and to wake the delivery.

    `authority_home_page` with a source's name is the authority of what that source sends.
    `launches` are known where there are any; `adapters` make statements of a source's dead letters
    of an origin, where they were none.
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
    ) -> None:
        self.adapters = adapters
        self.limits = limits
        self._launches = launches
        self._home_page = authority_home_page
        self._store = store
        self._mapping = mapping
        self._clock = clock
        self._on_receipts = on_receipts

    async def submit_http(
        self,
        source: str,
        body: bytes,
        *,
        content_type: str = _JSON,
        version: str = "1.0.0",
        put_id: str | None = None,
        launch: Launch | None = None,
    ) -> Accepted:
        """One request's statements; their ids, in order, after the commit.

        `put_id` is the `statementId` of a PUT; `launch` is the one whose credential was shown.
        Raises `StatementsRefused` when any is invalid, `InputRefused` when the body can't be read,
        `Forbidden` when the launch may not say it, `StatementConflict` when an id is known with
        other content, and `StoreUnavailable`; in each case nothing was accepted.
        """
        received_at = micros(self._clock.now())
        package = unpack(body, content_type)
        valid = valid_items(
            package.statements,
            package.data,
            self.limits,
            lambda: put_id or str(uuid.uuid4()),
            put_id,
        )
        ids = [item.statement_id for item in valid]
        if not valid:
            return Accepted(ids)
        body = package.statements
        if launch is None:
            await self.prepare([body])
        else:
            authorize_statements(launch, valid)
            body = add_launch_context(package.statements, valid, launch)
            if body is not package.statements:
                unnamed = iter(ids_to_assign(valid, launch))
                valid = valid_items(body, package.data, self.limits, unnamed.__next__)
        submission = Submission(
            source=source,
            body=body,
            received_at=received_at,
            items=tuple(self._item(item, source, received_at, launch) for item in valid),
            attachments=tuple(package.data.values()),
            version=version,
        )
        (receipt,) = await self.ingest([submission])
        if receipt.conflicts:
            raise StatementConflict(receipt.conflicts)
        return Accepted(ids, known=receipt.duplicates == len(ids))

    async def bury(self, source: str, body: bytes, reason: str, origin: str) -> None:
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

    def read_message(
        self,
        source: str,
        body: bytes,
        *,
        position: Position,
        origin: str,
        content_type: str | None = None,
        version: str = "1.0.0",
    ) -> Submission:
        """One message of a log as a submission. What can't be understood is a dead letter in it.

        A statement without an id gets one made of the message's place and content, so that a
        message that is read twice is applied once. Without a `content_type` the body tells, and
        attachments need not be there: they may have travelled another way.
        """
        received_at = micros(self._clock.now())
        content = hashlib.sha256(body).hexdigest()
        count = 0

        def new_id() -> str:
            nonlocal count
            count += 1
            return str(uuid.uuid5(_NAMESPACE, f"{origin} {count} {content}"))

        kind = content_type or guessed_type(body)
        try:
            package = unpack(body, kind)
            data = package.data if content_type or package.data else None
            parsed = parse(package.statements, self.limits, new_id=new_id, data=data)
        except InputRefused as error:
            letter = DeadLetter(str(error), origin, body)
            return Submission(
                source, body, received_at, (), (letter,), position, all_or_nothing=False
            )
        # the data of attachments goes with what may be read again
        whole = body if media_type(kind) != _JSON else None
        return Submission(
            source,
            package.statements,
            received_at,
            tuple(
                self._item(item, source, received_at)
                for item in parsed.items
                if isinstance(item, Valid)
            ),
            tuple(
                _dead_letter(item, origin, whole or item_body(body, item.index))
                for item in parsed.items
                if isinstance(item, Invalid)
            ),
            position,
            all_or_nothing=False,
            attachments=tuple(package.data.values()),
            version=version,
        )

    def read_again(self, kept: StoredStatement) -> Submission | None:
        """A statement that is kept, decided about anew; None when it is valid no longer."""
        body = item_body(kept.body, kept.index)
        try:
            parsed = parse(body, self.limits, new_id=lambda: kept.statement_id)
        except InputRefused:
            return None
        (item,) = parsed.items
        if not isinstance(item, Valid):
            return None
        return Submission(
            kept.source,
            body,
            kept.received_at,
            (replace(self._item(item, kept.source, kept.received_at), index=None),),
        )

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Store them; a receipt each, after the commit. Raises `StoreUnavailable`."""
        receipts = await self._store.ingest(submissions)
        self._on_receipts(submissions, receipts)
        return receipts

    def _item(
        self, valid: Valid, source: str, received_at: int, launch: Launch | None = None
    ) -> Item:
        keys = {authority_key(self._home_page, source), *index_keys(valid.statement)}
        refers_to = reference(valid.statement)
        return Item(
            valid.statement_id,
            valid.digest,
            valid.index,
            self._decide(valid, received_at, launch),
            tuple(keys),
            refers_to,
            refers_to is not None and valid.statement.verb.id == VOIDED,
        )

    def _decide(self, valid: Valid, received_at: int, launch: Launch | None) -> Decision:
        try:
            seen = observe(valid, received_at)
        except ReadingRefused as error:
            return Decision(InputOutcome.DEAD, reason=str(error))
        if isinstance(seen, NoEffect):
            return Decision(InputOutcome.NO_EFFECT, reason=seen.reason, activity=seen.activity)
        try:
            return self._mapping.decide(seen, launch or self._launch_of(seen))
        except Exception as error:  # noqa: BLE001 - whatever a rule does, the statement is kept
            return Decision(
                InputOutcome.DEAD,
                reason=f"its rule failed: {type(error).__name__}: {error}",
                activity=seen.activity,
            )

    def _launch_of(self, seen: Observation) -> Launch | None:
        """That of its registration, where it is what the launch may speak of."""
        if self._launches is None:
            return None
        launch = self._launches.get(seen.registration)
        if launch is None or not same_actor(seen.actor, launch.actor):
            return None
        return launch if covers(launch, seen.activity) else None


def _dead_letter(item: Invalid, origin: str, body: bytes) -> DeadLetter:
    where = origin if item.index is None else f"{origin}, item {item.index}"
    reason = "; ".join(str(problem) for problem in item.problems)
    return DeadLetter(reason, where, body, item.statement_id)
