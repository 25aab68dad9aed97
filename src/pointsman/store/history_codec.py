"""Converts the history to what a store keeps, and back, for every store. Pure.

A row holds what one commit did for a learner, as JSON: moves as arrays, for there are many of them,
turns by their fields' names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from pointsman.domain.records import Desired
from pointsman.domain.targets import Recipient, Target, TargetKind
from pointsman.store.history_records import (
    HistoryMove,
    HistoryTurn,
    MoveResult,
    ReadBackState,
    SentMutation,
    SentRequest,
    SettledState,
    person_of,
)
from pointsman.store.records import Audited, AuditFinding, Lease, Settlement
from pointsman.store.strip_nul import text

#: what a turn without a request has to say; anything else is no news
_NEWS = {"delivered", "retry", "parked"}


def to_json(value: object) -> str:
    """As JSON. What UTF-8 can't hold is escaped, for the store to refuse as it does elsewhere."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value)


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
    wanted = {row.target: row for row in lease.desired}
    sent = {mutation.target for request in requests for mutation in request.mutations}
    settled: dict[str, list[dict[str, Any]]] = {}
    for settlement in settlements:
        row = wanted.get(settlement.target)
        if row is None or not (settlement.result in _NEWS or settlement.target in sent):
            continue
        learner = person_of(lease.recipient, settlement.target)
        settled.setdefault(learner, []).append(_settled(lease.recipient, row, settlement))
    rows = []
    for learner, states in settled.items():
        theirs = list(_requests(lease.recipient, learner, requests))
        rows.append((learner, to_json({"requests": theirs, "settled": states})))
    return rows


def _settled(recipient: Recipient, row: Desired, settlement: Settlement) -> dict[str, Any]:
    return {
        "meeting": recipient.id if recipient.is_meeting else "",
        "kind": row.target.kind,
        "key": row.target.key,
        "value": row.value,
        "version": settlement.version,
        "result": settlement.result,
        "reason": text(settlement.reason),
        "code": settlement.code or "",
        "retry_at": settlement.retry_at,
        "since": row.since,
        "changed_at": row.changed_at,
        "statement_id": row.statement_id,
        "rule": row.rule,
    }


def _requests(
    recipient: Recipient, learner: str, requests: Sequence[SentRequest]
) -> Iterator[dict[str, Any]]:
    """Those that were about this person, without what they said of others."""
    for request in requests:
        mutations = [
            [one.target.kind, one.target.key, one.value, one.verdict, text(one.words)]
            for one in request.mutations
            if person_of(recipient, one.target) == learner
        ]
        if mutations:
            yield {
                "id": request.id,
                "at": request.at,
                "points": request.points,
                "seconds": round(request.seconds, 4),
                "answer": request.answer,
                "words": text(request.words),
                "mutations": mutations,
            }


def row_of_readings(findings: Sequence[AuditFinding], outcomes: Mapping[Target, Audited]) -> str:
    """The data of what was read back of one learner; empty where it was out of date."""
    readings = [
        {
            "kind": finding.target.kind,
            "key": finding.target.key,
            "version": finding.version,
            "result": outcomes[finding.target],
            "reason": text(finding.reason),
        }
        for finding in findings
        if outcomes[finding.target] is not Audited.MOVED
    ]
    return to_json({"read_back": readings}) if readings else ""


def turn_of_row(row: Mapping[str, Any]) -> HistoryTurn:
    """What `rows_of_turn` or `row_of_readings` made; `row` has id, learner, at and data."""
    data = orjson.loads(row["data"])
    return HistoryTurn(
        id=row["id"],
        learner=row["learner"],
        at=row["at"],
        requests=tuple(
            SentRequest(**{**request, "mutations": tuple(map(_mutation, request["mutations"]))})
            for request in data.get("requests", ())
        ),
        settled=tuple(_settled_state(row["learner"], of) for of in data.get("settled", ())),
        read_back=tuple(
            ReadBackState(**_with_target(reading)) for reading in data.get("read_back", ())
        ),
    )


def _mutation(values: Sequence[Any]) -> SentMutation:
    kind, key, value, verdict, words = values
    return SentMutation(Target(TargetKind(kind), key), value, verdict, words)


def _settled_state(learner: str, data: Mapping[str, Any]) -> SettledState:
    meeting = data["meeting"]
    recipient = Recipient.meeting(meeting) if meeting else Recipient.from_text(learner)
    fields = {name: value for name, value in data.items() if name != "meeting"}
    return SettledState(recipient=recipient, **_with_target(fields))


def _with_target(data: Mapping[str, Any]) -> dict[str, Any]:
    """With kind and key as the target that they name."""
    fields = {name: value for name, value in data.items() if name not in {"kind", "key"}}
    return {**fields, "target": Target(TargetKind(data["kind"]), data["key"])}
