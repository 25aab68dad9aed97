"""What it costs to keep the history that explains state: CPU with it, without = 1.

Intake is all of it but HTTP, from a request's bytes to the commit; delivery is lease, document,
answer and settling, without a network. Rounds with and without are taken in turn, and all CPU of
the process counts, the writer's thread too.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

import orjson

from bench.results import Spread, record
from pointsman import wiring
from pointsman.config import Settings, load
from pointsman.delivery.budget.base import QuotaLimits
from pointsman.delivery.budget.local import LocalBudget
from pointsman.delivery.paid_requests import PaidRequests
from pointsman.delivery.sender import Sender
from pointsman.delivery.settings import DeliverySettings
from pointsman.domain.clock import SystemClock
from pointsman.platforms.helium import HeliumPlatform
from pointsman.platforms.helium.transport import HttpAnswer
from pointsman.store.base import Store
from pointsman.store.commit_history import CommitHistory
from pointsman.store.sqlite import SqliteStore, settling

_STATEMENTS, _WAITING, _ROUNDS, _LEARNERS = 3_000, 100, 15, 500
_CLOCK = SystemClock()
_CONFIG = """
allow_weak_secrets = true
[platform]
url = "http://127.0.0.1:1"
api_key = "key"
[[sources.http]]
name = "players"
credentials = [{ key = "user", secret = "secret" }]
[learners.tokens]
inline = { "ana@example.com" = "token" }
[[rules]]
activity = "https://content.example.com/{course}/{topic}"
topic_id = "topic_{topic}"
course_slug = "{course}"
"""
_ALIAS = re.compile(r"(\w+): Update")


class _Yes:
    """A transport whose platform does all that it is told."""

    async def post(self, _headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        done = dict.fromkeys(_ALIAS.findall(orjson.loads(body)["query"]), True)
        return HttpAnswer(200, {}, orjson.dumps({"data": done}))

    async def close(self) -> None: ...


class _Tokens:
    async def open(self) -> None: ...

    async def run(self) -> None: ...

    async def close(self) -> None: ...

    async def token(self, _learner: str) -> str:
        return "token"

    async def user_id(self, _learner: str) -> str:
        return "id"

    async def refused(self, _learner: str, _token: str) -> bool:
        return False


def _heartbeats() -> list[bytes]:
    """Each about a learner's progress, which goes on and on."""
    return [
        json.dumps(
            {
                "id": str(uuid.uuid4()),
                "actor": {"mbox": f"mailto:l{number % _LEARNERS}@example.com", "name": "L"},
                "verb": {"id": "http://adlnet.gov/expapi/verbs/progressed"},
                "object": {"id": f"https://content.example.com/c{number % 7}/t{number % 5}"},
                "timestamp": "2026-01-05T10:00:00.000Z",
                "result": {
                    "extensions": {
                        "https://w3id.org/xapi/cmi5/result/extensions/progress": 1
                        + number // _LEARNERS
                    }
                },
            }
        ).encode()
        for number in range(_STATEMENTS)
    ]


async def _take_in(settings: Settings, store: Store, bodies: Sequence[bytes]) -> float:
    pipeline = wiring.pipeline(settings, store, _CLOCK)
    slots = asyncio.Semaphore(_WAITING)

    async def post(body: bytes) -> None:
        async with slots:
            await pipeline.accept(pipeline.reader.request("players", body))

    began = time.process_time()
    await asyncio.gather(*map(post, bodies))
    return time.process_time() - began


async def _deliver(store: SqliteStore) -> float:
    limits = QuotaLimits(points=10**9, requests=10**9, guard=0.0, window=60.0)
    budget = LocalBudget(limits, _CLOCK, store)
    await budget.open()
    sender = Sender(
        HeliumPlatform(_Yes(), _CLOCK),
        _Tokens(),
        budget,
        _CLOCK,
        DeliverySettings(),
        points_per_request=1_000,
    )
    began = time.process_time()
    now = round(_CLOCK.now() * 1e6)
    while leases := await store.lease(now=now, ttl=60_000_000, limit=8):
        for lease in leases:
            outcome = await sender.deliver(lease, give_up_at=_CLOCK.monotonic() + 60)
            await store.settle(
                lease, outcome.settlements, now=now, ready_at=now, requests=outcome.sent
            )
    taken = time.process_time() - began
    await budget.close()
    return taken


async def _round(settings: Settings, folder: Path) -> tuple[float, float]:
    bodies = _heartbeats()
    store = SqliteStore(folder / f"{uuid.uuid4()}.db")
    await store.open()
    try:
        return await _take_in(settings, store, bodies), await _deliver(store)
    finally:
        await store.close()


@contextmanager
def without_history() -> Iterator[None]:
    with ExitStack() as stack:
        for where, name, nothing in (
            (CommitHistory, "note", lambda *_: None),
            (settling, "rows_of_turn", lambda *_: []),
            (PaidRequests, "_sent", lambda *_: None),
        ):
            stack.enter_context(mock.patch.object(where, name, nothing))
        yield


def main() -> None:
    taken: dict[str, list[tuple[float, float]]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pointsman.toml").write_text(_CONFIG)
        settings = load(folder / "pointsman.toml")
        for _ in range(_ROUNDS):
            with without_history():
                taken["without"].append(asyncio.run(_round(settings, folder)))
            taken["with"].append(asyncio.run(_round(settings, folder)))
    for place, what in enumerate(("taken in", "delivered")):
        record(
            f"With and without history, without HTTP: CPU of a statement, {what}",
            "without",
            {
                name: Spread.of([1e6 * seconds[place] / _STATEMENTS for seconds in rounds])
                for name, rounds in taken.items()
            },
            command="python -m bench.bench_history",
        )


if __name__ == "__main__":
    main()
