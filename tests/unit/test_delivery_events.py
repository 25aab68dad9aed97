"""What is told of settled deliveries: one CloudEvent each, at least once, in a learner's order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pointsman.delivery.delivery_events import DeliveryEvents
from pointsman.delivery.settled_deliveries import settled_deliveries
from pointsman.domain.errors import InputRefused, StoreUnavailable
from pointsman.domain.targets import Recipient
from pointsman.store.history_records import (
    HistoryTurn,
    SentMutation,
    SentRequest,
    SettledState,
)
from pointsman.store.sqlite import SqliteStore
from tests.support.change_factory import change, topic, wants
from tests.support.manual_clock import ManualClock
from tests.support.store_steps import MINUTE, settle

T = topic("t")
SETTLED = SettledState(
    recipient=Recipient.learner("ana"),
    target=T,
    value=62,
    version=3,
    result="delivered",
    since=MINUTE - 1_500_000,
    statement_id="s",
    rule="r",
)
REQUEST = SentRequest(
    "r-1", MINUTE - 200_000, 2, 0.15, "answered", "", (SentMutation(T, 62, "done"),)
)
TURN = HistoryTurn(7, "ana", MINUTE, requests=(REQUEST,), settled=(SETTLED,))


def test_a_delivery_tells_what_was_wanted_sent_and_answered() -> None:
    (delivery,) = settled_deliveries(TURN)
    assert delivery.id == "60000000-7-0"
    assert (delivery.learner, delivery.kind, delivery.key) == ("ana", "topic_progress", "t")
    assert (delivery.value, delivery.result, delivery.latency_seconds) == ("62", "delivered", 1.5)
    assert (delivery.request, delivery.answer, delivery.verdict) == ("r-1", "answered", "done")
    assert delivery.settled_at == "1970-01-01T00:01:00.000+00:00"


def test_what_was_not_sent_has_no_request() -> None:
    (delivery,) = settled_deliveries(HistoryTurn(7, "ana", MINUTE, settled=(SETTLED,)))
    assert (delivery.request, delivery.sent_at, delivery.points, delivery.words) == ("", "", 0, "")


@dataclass
class Topic:
    """Takes what is written; the messages of `refused` numbers are too large."""

    away: bool = False
    refused: bool = False
    written: list[tuple[bytes | None, dict[str, Any]]] = field(default_factory=list)
    headers: list[tuple[str, bytes]] = field(default_factory=list)

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def write(
        self, body: bytes, headers: list[tuple[str, bytes]], key: bytes | None = None
    ) -> None:
        if self.away:
            raise StoreUnavailable("no broker")
        if self.refused:
            raise InputRefused("too large")
        self.headers = headers
        self.written.append((key, json.loads(body)))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "s.db", threaded=False, publish_turns=True)
    await made.open()
    yield made
    await made.close()


async def deliver(store: SqliteStore, *values: int) -> None:
    for number, value in enumerate(values, start=1):
        await store.ingest([wants(change("ana", T, value))])
        await settle(store, "delivered", now=number * MINUTE)


async def test_each_delivery_is_a_cloud_event_with_its_learner_as_the_key(
    store: SqliteStore,
) -> None:
    written = Topic()
    events = DeliveryEvents(store, written, ManualClock(), "urn:here")
    await deliver(store, 10, 20)
    assert await events.tell_some() is False
    assert [key for key, _ in written.written] == [b"ana", b"ana"]
    first = written.written[0][1]
    assert {name: first[name] for name in ("specversion", "source", "type", "subject")} == {
        "specversion": "1.0",
        "source": "urn:here",
        "type": "com.pointsman.delivery.settled.v1",
        "subject": "ana",
    }
    assert [event["data"]["value"] for _, event in written.written] == ["10", "20"]
    assert written.headers == [("content-type", b"application/cloudevents+json; charset=UTF-8")]
    await events.tell_some()
    assert len(written.written) == 2


async def test_what_no_broker_took_waits_and_is_told_later(store: SqliteStore) -> None:
    written = Topic(away=True)
    events = DeliveryEvents(store, written, ManualClock(), "urn:here")
    await deliver(store, 10)
    with pytest.raises(StoreUnavailable):
        await events.tell_some()
    step = await store.prune_history(before=2**60, keep=1, after="", learners=9)
    assert step.rows == 1, "the move alone is forgotten: the delivery is not told yet"
    written.away = False
    await events.tell_some()
    assert len(written.written) == 1


async def test_what_no_broker_ever_takes_holds_up_nothing(store: SqliteStore) -> None:
    written = Topic(refused=True)
    events = DeliveryEvents(store, written, ManualClock(), "urn:here")
    await deliver(store, 10)
    await events.tell_some()
    assert await store.unpublished_turns(limit=9) == []


async def test_nothing_waits_to_be_told_where_no_topic_is_configured(tmp_path: Path) -> None:
    made = SqliteStore(tmp_path / "s.db", threaded=False)
    await made.open()
    await deliver(made, 10)
    assert await made.unpublished_turns(limit=9) == []
    assert len(await made.newest_turns(limit=9)) == 1
    await made.close()
