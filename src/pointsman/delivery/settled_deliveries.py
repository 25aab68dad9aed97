"""One record for each state of a settled delivery: what was wanted, sent and answered. Pure.

For a customer's warehouse, as rows of a file or as CloudEvents (CloudEvents 1.0.2, JSON format and
Kafka protocol binding, structured content mode).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import orjson

from pointsman.domain.targets import Target
from pointsman.store.history_records import HistoryTurn, SentMutation, SentRequest, SettledState

#: of the event, and of the message that carries it
EVENT_TYPE = "com.pointsman.delivery.settled.v1"
CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class SettledDelivery:
    """What became of one state. Times are ISO 8601 in UTC; empty where there is none."""

    #: unique, and the same however often it is told
    id: str
    settled_at: str
    learner: str
    #: the meeting's id, for attendance
    meeting: str
    kind: str
    key: str
    #: what was wanted: a percentage as its digits, or a word
    value: str
    version: int
    #: delivered, retry, untried or parked
    result: str
    #: why it is parked, as a code
    code: str
    reason: str
    #: the statement and the rule that asked for it
    statement: str
    rule: str
    #: arrival of the first change that was not delivered
    wanted_since: str
    #: seconds from then until it was settled
    latency_seconds: float
    #: the last request that it was in; empty where nothing was sent
    request: str
    sent_at: str
    #: of the whole request
    points: int
    platform_seconds: float
    answer: str
    #: what the platform did with this one, and its own words
    verdict: str
    words: str


#: the columns of a file
COLUMNS = tuple(field.name for field in fields(SettledDelivery))


def settled_deliveries(turn: HistoryTurn) -> Iterator[SettledDelivery]:
    """One for each state that was settled."""
    for number, settled in enumerate(turn.settled):
        request, mutation = _sent(turn, settled.target)
        yield SettledDelivery(
            id=f"{turn.at}-{turn.id}-{number}",
            settled_at=_time(turn.at),
            learner=turn.learner,
            meeting=settled.recipient.id if settled.recipient.is_meeting else "",
            kind=settled.target.kind.value,
            key=settled.target.key,
            value=str(settled.value),
            version=settled.version,
            result=settled.result,
            code=settled.code,
            reason=settled.reason,
            statement=settled.statement_id,
            rule=settled.rule,
            wanted_since=_time(settled.since),
            latency_seconds=_seconds(turn, settled),
            request="" if request is None else request.id,
            sent_at="" if request is None else _time(request.at),
            points=0 if request is None else request.points,
            platform_seconds=0.0 if request is None else request.seconds,
            answer="" if request is None else request.answer,
            verdict="" if mutation is None else mutation.verdict,
            words="" if mutation is None else mutation.words or (request.words if request else ""),
        )


def as_row(delivery: SettledDelivery) -> Mapping[str, Any]:
    """By column."""
    return asdict(delivery)


def cloud_event(delivery: SettledDelivery, source: str) -> bytes:
    """The event as JSON; `source` names the installation."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": delivery.id,
            "source": source,
            "type": EVENT_TYPE,
            "subject": delivery.learner,
            "time": delivery.settled_at,
            "datacontenttype": "application/json",
            "data": asdict(delivery),
        }
    )


def _sent(turn: HistoryTurn, target: Target) -> tuple[SentRequest | None, SentMutation | None]:
    for request in reversed(turn.requests):
        for mutation in request.mutations:
            if mutation.target == target:
                return request, mutation
    return None, None


def _seconds(turn: HistoryTurn, settled: SettledState) -> float:
    return round(max(0, turn.at - settled.since) / 1e6, 6)


def _time(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).isoformat(timespec="milliseconds")
