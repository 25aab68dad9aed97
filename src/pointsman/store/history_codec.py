"""Converts the history to what a store keeps, and back, for every store. Pure.

A row holds what one commit did for a learner, as arrays of JSON, for there are many of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import Recipient, Target, TargetKind
from pointsman.store.commit_history import person_of, to_json
from pointsman.store.desired_codec import DesiredCodec
from pointsman.store.history_records import (
    HistoryMove,
    HistoryTurn,
    MoveResult,
    QueuePlace,
    ReadBackState,
    SentMutation,
    SentRequest,
    SettledState,
    StoredState,
)
from pointsman.store.records import Audited, AuditFinding, Lease, Settlement
from pointsman.store.statement_records import StoredDeadLetter
from pointsman.store.strip_nul import text

#: rows that one step forgets for their age at most, of each table
OLD_ROWS = 2_000
#: the newest dead letters, and bytes of their bodies, that are looked through for one learner
LETTERS_LOOKED_AT, LETTER_BYTES_LOOKED_AT = 5_000, 4_000_000
#: pairs of texts that one query looks for
_PAIRS = 4
#: what a turn without a request has to say; anything else is no news
_NEWS = {"delivered", "retry", "parked"}


def moves_of_row(learner: str, at: int, data: str) -> Iterator[HistoryMove]:
    """What `CommitHistory` noted of one learner in one commit."""
    for statement_id, source, occurred_at, received_at, rule, changes in orjson.loads(data):
        for kind, key, meeting, wanted, before, after, result in changes:
            recipient = Recipient.meeting(meeting) if meeting else Recipient.from_text(learner)
            yield HistoryMove(
                statement_id=statement_id,
                source=source,
                occurred_at=occurred_at,
                received_at=received_at,
                at=at,
                rule=rule,
                recipient=recipient,
                target=Target(TargetKind(kind), key),
                wanted=wanted,
                before=before,
                after=after,
                result=MoveResult(result),
            )


def rows_of_turn(
    lease: Lease, settlements: Sequence[Settlement], requests: Sequence[SentRequest]
) -> list[tuple[str, str]]:
    """(learner, data) for each person in a turn; none where there is nothing to tell."""
    states = {row.target: row for row in lease.desired}
    sent: set[Target] = set()
    if any(settlement.result not in _NEWS for settlement in settlements):
        sent = {mutation.target for request in requests for mutation in request.mutations}
    recipient = lease.recipient
    settled: dict[str, list[list[Any]]] = {}
    for settlement in settlements:
        target = settlement.target
        row = states.get(target)
        if row is not None and (settlement.result in _NEWS or target in sent):
            learner = person_of(recipient, target)
            settled.setdefault(learner, []).append(_settled(row, settlement))
    meeting = recipient.id if recipient.is_meeting else ""
    rows = []
    for learner, of_learner in settled.items():
        theirs = [
            [*request[:5], text(request.words), mutations]
            for request in requests
            if (mutations := _mutations(recipient, learner, request))
        ]
        rows.append((learner, to_json([meeting, theirs, of_learner])))
    return rows


def _settled(row: Desired, settlement: Settlement) -> list[Any]:
    """In the order of the fields of `SettledState`, with kind and key for the target."""
    return [
        row.target.kind.value,
        row.target.key,
        row.value,
        settlement.version,
        settlement.result,
        text(settlement.reason),
        settlement.code or "",
        settlement.retry_at,
        row.since,
        row.changed_at,
        row.statement_id,
        row.rule,
    ]


def _mutations(recipient: Recipient, learner: str, request: SentRequest) -> list[list[Any]]:
    """Those about this person, without what was said of others."""
    return [
        [one.target.kind.value, one.target.key, one.value, one.verdict, text(one.words)]
        for one in request.mutations
        if not recipient.is_meeting or person_of(recipient, one.target) == learner
    ]


def row_of_readings(findings: Sequence[AuditFinding], outcomes: Mapping[Target, Audited]) -> str:
    """The data of what was read back of one learner; empty where it was out of date."""
    readings = [
        [
            finding.target.kind.value,
            finding.target.key,
            finding.version,
            outcomes[finding.target].value,
            text(finding.reason),
        ]
        for finding in findings
        if outcomes[finding.target] is not Audited.MOVED
    ]
    return to_json(readings) if readings else ""


def turn_of_row(row: Mapping[str, Any]) -> HistoryTurn:
    """What `rows_of_turn` or `row_of_readings` made; `row` has id, learner, at and data."""
    data = orjson.loads(row["data"])
    if not isinstance(data[0], str):
        readings = tuple(ReadBackState(_target(kind, key), *values) for kind, key, *values in data)
        return HistoryTurn(row["id"], row["learner"], row["at"], read_back=readings)
    meeting, requests, settled = data
    recipient = Recipient.meeting(meeting) if meeting else Recipient.from_text(row["learner"])
    return HistoryTurn(
        id=row["id"],
        learner=row["learner"],
        at=row["at"],
        requests=tuple(map(_request, requests)),
        settled=tuple(
            SettledState(recipient, _target(kind, key), *values) for kind, key, *values in settled
        ),
    )


def _request(values: Sequence[Any]) -> SentRequest:
    name, at, points, seconds, answer, words, mutations = values
    said = tuple(SentMutation(_target(kind, key), *rest) for kind, key, *rest in mutations)
    return SentRequest(name, at, points, seconds, answer, words, said)


def _target(kind: str, key: str) -> Target:
    return Target(TargetKind(kind), key)


def state_of_row(codec: DesiredCodec, row: Mapping[str, Any]) -> StoredState:
    """A target's state, with what history says beside it."""
    return StoredState(codec.decode(row), row["delivered_at"], row["audited_at"], row["audit"])


def queue_place_of_row(row: Mapping[str, Any]) -> QueuePlace:
    """Where a recipient waits for its turn."""
    return QueuePlace(
        Recipient.from_text(row["learner"]),
        row["due"],
        bool(row["ready"]),
        row["ready_at"],
        row["hold"],
    )


def texts_of_names(names: Collection[tuple[str, str]]) -> Iterator[list[str]]:
    """The texts of one query after another: pairs in lower case, filled up with "".

    Letters that are not ASCII stay, for databases know no other lower case of bytes. A text that
    has another one in it finds nothing more.
    """
    pairs = sorted({(_lower(one), _lower(other)) for one, other in names})
    alone = {one for one, other in pairs if one and not other}
    wanted = [pair for pair in pairs if not any(text in pair[0] for text in alone - {pair[0]})]
    for first in range(0, len(wanted), _PAIRS):
        texts = [text for pair in wanted[first : first + _PAIRS] for text in pair]
        yield texts + [""] * (2 * _PAIRS - len(texts))


def _lower(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "replace")


def newest_letters(letters: Iterable[StoredDeadLetter], limit: int) -> list[StoredDeadLetter]:
    """Each once, the newest first."""
    by_id = {letter.id: letter for letter in letters}
    return [by_id[number] for number in sorted(by_id, reverse=True)[:limit]]
