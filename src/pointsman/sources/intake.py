"""The intake loop's one road: bytes -> statements -> observations -> decisions -> store.

Every source takes it, so that HTTP and Kafka can't come to differ in what they accept.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from pointsman.clock import Clock, micros
from pointsman.errors import InputRefused, StatementConflict
from pointsman.model import (
    DeadLetter,
    Decision,
    Item,
    Observation,
    Outcome,
    Position,
    Receipt,
    Submission,
)
from pointsman.statements import (
    Invalid,
    Limits,
    NoEffect,
    Parsed,
    ReadingRefused,
    StatementsRefused,
    Valid,
    observe,
    parse,
)
from pointsman.store.base import Store, StoredStatement
from pointsman.store.plan import item_body

#: statement ids for inputs that bring none and may be read twice
_NAMESPACE = uuid.UUID("5d1c1f0e-8a63-4a5f-9d2b-6f0a0f3f7a11")


class Decider(Protocol):
    """Stage 3: what an observation asks for."""

    def decide(self, observation: Observation) -> Decision: ...


class Intake:
    """`on_receipts` is told of all that was stored: for counting, and to wake the delivery."""

    def __init__(
        self,
        store: Store,
        mapping: Decider,
        limits: Limits,
        clock: Clock,
        on_receipts: Callable[[Sequence[Submission], Sequence[Receipt]], None],
    ) -> None:
        self.limits = limits
        self._store = store
        self._mapping = mapping
        self._clock = clock
        self._on_receipts = on_receipts

    async def submit_http(
        self, source: str, body: bytes, *, put_id: str | None = None
    ) -> list[str]:
        """One request's statements; their ids, in order, after the commit.

        `put_id` is the `statementId` of a PUT. Raises `StatementsRefused` when any is invalid,
        `InputRefused` when the body can't be read, `StatementConflict` when an id is known with
        other content, and `StoreUnavailable`; in each case nothing was accepted.
        """
        received_at = micros(self._clock.now())
        valid = valid_items(body, self.limits, lambda: put_id or str(uuid.uuid4()), put_id)
        submission = Submission(
            source=source,
            body=body,
            received_at=received_at,
            items=tuple(self._item(item, received_at) for item in valid),
        )
        if valid:
            (receipt,) = await self.ingest([submission])
            if receipt.conflicts:
                raise StatementConflict(receipt.conflicts)
        return [item.statement_id for item in valid]

    def read_message(
        self, source: str, body: bytes, *, position: Position, origin: str
    ) -> Submission:
        """One message of a log as a submission. What can't be understood is a dead letter in it.

        A statement without an id gets one made of the message's place and content, so that a
        message that is read twice is applied once.
        """
        received_at = micros(self._clock.now())
        content = hashlib.sha256(body).hexdigest()
        count = 0

        def new_id() -> str:
            nonlocal count
            count += 1
            return str(uuid.uuid5(_NAMESPACE, f"{origin} {count} {content}"))

        def submission(items: tuple[Item, ...], dead: tuple[DeadLetter, ...]) -> Submission:
            return Submission(
                source, body, received_at, items, dead, position, all_or_nothing=False
            )

        try:
            parsed = parse(body, self.limits, new_id=new_id)
        except InputRefused as error:
            return submission((), (DeadLetter(str(error), origin, body),))
        return submission(
            tuple(
                self._item(item, received_at) for item in parsed.items if isinstance(item, Valid)
            ),
            tuple(
                _dead_letter(item, origin, body)
                for item in parsed.items
                if isinstance(item, Invalid)
            ),
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
            kept.stored_at,
            (replace(self._item(item, kept.stored_at), index=None),),
        )

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Store them; a receipt each, after the commit. Raises `StoreUnavailable`."""
        receipts = await self._store.ingest(submissions)
        self._on_receipts(submissions, receipts)
        return receipts

    def _item(self, valid: Valid, received_at: int) -> Item:
        return Item(valid.statement_id, valid.digest, valid.index, self._decide(valid, received_at))

    def _decide(self, valid: Valid, received_at: int) -> Decision:
        try:
            seen = observe(valid, received_at)
        except ReadingRefused as error:
            return Decision(Outcome.DEAD, reason=str(error))
        if isinstance(seen, NoEffect):
            return Decision(Outcome.NO_EFFECT, reason=seen.reason, activity=seen.activity)
        try:
            return self._mapping.decide(seen)
        except Exception as error:  # noqa: BLE001 - whatever a rule does, the statement is kept
            return Decision(
                Outcome.DEAD,
                reason=f"its rule failed: {type(error).__name__}: {error}",
                activity=seen.activity,
            )


def valid_items(
    body: bytes, limits: Limits, new_id: Callable[[], str], put_id: str | None = None
) -> list[Valid]:
    """A request's statements. Raises `StatementsRefused` and `InputRefused`."""
    parsed = parse(body, limits, new_id=new_id)
    if put_id is not None:
        _check_put(parsed, put_id)
    problems = tuple(
        problem for item in parsed.items if isinstance(item, Invalid) for problem in item.problems
    )
    if problems:
        raise StatementsRefused(problems)
    return [item for item in parsed.items if isinstance(item, Valid)]


def _check_put(parsed: Parsed, put_id: str) -> None:
    if parsed.is_array:
        raise InputRefused("PUT takes one statement, not an array (xAPI Part 3 section 2.1.1)")
    (item,) = parsed.items
    if isinstance(item, Valid) and item.statement_id != put_id:
        raise InputRefused(
            f"the body's id {item.statement_id} is not the statementId {put_id} of the request"
        )


def _dead_letter(item: Invalid, origin: str, body: bytes) -> DeadLetter:
    where = origin if item.index is None else f"{origin}, item {item.index}"
    reason = "; ".join(str(problem) for problem in item.problems)
    return DeadLetter(reason, where, item_body(body, item.index), item.statement_id)
