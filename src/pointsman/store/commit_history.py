"""Collects what one commit's statements did to each learner's targets, as rows to keep. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson

from pointsman.domain.desired_state import Desired
from pointsman.domain.records import Change, Falls, Submission
from pointsman.domain.targets import Recipient, RecipientKind, Target, Value
from pointsman.store.history_records import MoveResult
from pointsman.store.merge import IMPORTED, PLATFORM
from pointsman.store.records import KnownDelivered

#: statements in one row: retention counts rows, so that none may be of any length
STATEMENTS_IN_ROW = 20
#: learner, 1 where a value moved, and as JSON the statements, each with what it did
MoveRow = tuple[str, int, str]


class CommitHistory:
    """Notes in the order in which a plan takes changes. `history_codec` reads the rows again."""

    def __init__(self, *, only_moves: bool = False) -> None:
        self._only_moves = only_moves
        self._of_learner: dict[str, list[list[Any]]] = {}
        self._moved: set[str] = set()

    def note(
        self,
        source: str,
        received_at: int,
        change: Change,
        wanted: Value | None,
        before: Value | None,
        after: Value | None,
        result: MoveResult,
    ) -> None:
        """One statement's change of one target; see `HistoryMove` for the words."""
        is_move = result is MoveResult.MOVED
        if self._only_moves and not is_move:
            return
        recipient, (kind, key) = change.recipient, change.target
        if recipient.is_meeting:
            learner, meeting = person_of(recipient, change.target), recipient.id
        else:
            learner, meeting = recipient.id, ""
        statements = self._of_learner.get(learner)
        if statements is None:
            statements = self._of_learner[learner] = []
        if not statements or statements[-1][0] != change.statement_id:
            statements.append(
                [change.statement_id, source, change.occurred_at, received_at, change.rule, []]
            )
        # `value` of an enum costs a call
        statements[-1][5].append(
            [kind._value_, key, meeting, wanted, before, after, result._value_]
        )
        if is_move:
            self._moved.add(learner)

    def note_duplicate(self, submission: Submission, change: Change) -> None:
        """A statement that is stored already came again."""
        self.note(
            submission.source,
            submission.received_at,
            change,
            None if change.evidence is not None else change.value,
            None,
            None,
            MoveResult.DUPLICATE,
        )

    def note_import(self, known: KnownDelivered, before: Value | None, now: int) -> None:
        """What the platform is known to show was taken as wanted and delivered."""
        change = Change(
            known.recipient, known.target, known.value, now, IMPORTED, IMPORTED, falls=Falls.ALWAYS
        )
        result = MoveResult.SAME if before == known.value else MoveResult.MOVED
        self.note("", now, change, known.value, before, known.value, result)

    def note_platform_change(self, row: Desired, before: Value, now: int) -> None:
        """State took the value that somebody gave it on the platform on purpose."""
        change = Change(row.recipient, row.target, row.value, row.occurred_at, PLATFORM, row.rule)
        result = MoveResult.SAME if before == row.value else MoveResult.MOVED
        self.note("", now, change, row.value, before, row.value, result)

    def rows(self) -> Iterator[MoveRow]:
        """What is to be stored."""
        for learner, statements in self._of_learner.items():
            moved = int(learner in self._moved)
            if len(statements) <= STATEMENTS_IN_ROW:  # as nearly always
                yield learner, moved, to_json(statements)
                continue
            for start in range(0, len(statements), STATEMENTS_IN_ROW):
                yield learner, moved, to_json(statements[start : start + STATEMENTS_IN_ROW])


def unmoved_result(current: Desired, merged: Desired, change: Change) -> MoveResult:
    """Why a change did not move the value; `merged` is what the merge made of `current`."""
    by_attempt = change.falls is Falls.NEW_ATTEMPT and merged.attempts
    if by_attempt and by_attempt[0].registration != (change.registration or ""):
        return MoveResult.OTHER_ATTEMPT
    if change.value == current.value:
        return MoveResult.SAME
    return MoveResult.OLDER if change.falls is Falls.ALWAYS else MoveResult.LOWER


def person_of(recipient: Recipient, target: Target) -> str:
    """Whom a state is about: the learner, or the one whose attendance of a meeting it is."""
    if recipient.kind is RecipientKind.LEARNER:
        return recipient.id
    return target.key.partition(" ")[2]


def to_json(value: object) -> str:
    """As JSON. What UTF-8 can't hold is escaped, for the store to refuse as it does elsewhere."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value)
