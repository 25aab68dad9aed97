"""Delivery to the emulator in another process; a bare client that posts the same documents = 1.

`python -m bench.bench_delivery`. Each learner's state is a document. Delivery is the store's
leases, the dispatcher, documents, answers and settling; the bare client sends what delivery has
just sent, over as many connections, and reads the answers. CPU is of the process that sends.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import uvloop
from pydantic import SecretStr

from bench.live_emulator import PLENTY, emulator_with
from bench.results import Spread, record
from demo.scenario import API_KEY
from pointsman.delivery.budget.base import QuotaLimits
from pointsman.delivery.budget.local import LocalBudget
from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.delivery.dispatcher import Dispatcher
from pointsman.delivery.sender import Sender
from pointsman.delivery.settings import DeliverySettings
from pointsman.domain.clock import SystemClock, micros
from pointsman.domain.records import Change, Decision, InputOutcome, Item, Submission
from pointsman.domain.targets import Recipient, Target, TargetKind
from pointsman.platforms.helium import HeliumPlatform
from pointsman.platforms.helium.transport import HttpAnswer, HttpTransport
from pointsman.platforms.settings import PlatformSettings
from pointsman.process import tune_interpreter
from pointsman.store.sqlite import SqliteStore

_ROUNDS, _LEARNERS, _CONNECTIONS, _TOPICS = 7, 1_000, 64, 5
#: seconds for a round, however busy the machine is
_PATIENCE = 120.0
_BARE, _DELIVERY = "bare aiohttp client", "delivery from SQLite"
_CLOCK = SystemClock()


class _Recorded:
    """The real transport, which keeps what was posted."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport
        self.documents: list[tuple[Mapping[str, str], bytes]] = []

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        self.documents.append((headers, body))
        return await self._transport.post(headers, body)

    async def close(self) -> None:
        await self._transport.close()


class _Tokens:
    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._tokens = tokens

    async def open(self) -> None: ...

    async def run(self) -> None: ...

    async def close(self) -> None: ...

    async def token(self, learner: str) -> str:
        return self._tokens[learner]

    async def user_id(self, learner: str) -> str:
        return learner

    async def refused(self, _learner: str, _token: str) -> bool:
        return False


class _Delivery:
    """A dispatcher that runs while a round's state is delivered."""

    def __init__(self, store: SqliteStore, transport: _Recorded, tokens: Mapping[str, str]) -> None:
        settings = DeliverySettings(concurrency=_CONNECTIONS, progress_interval_seconds=0)
        self._store = store
        self.budget = LocalBudget(QuotaLimits(PLENTY, PLENTY, 0.0, 60.0), _CLOCK, store)
        self._all_settled = asyncio.Event()
        self._settled = 0
        self._dispatcher = Dispatcher(
            store,
            Sender(
                HeliumPlatform(transport, _CLOCK),
                _Tokens(tokens),
                self.budget,
                _CLOCK,
                settings,
                points_per_request=1_000,
            ),
            self.budget,
            _CLOCK,
            settings,
            self._on_delivery,
            request_timeout=30.0,
        )

    async def run(self) -> None:
        """Deliver until each learner's state is settled."""
        self._settled = 0
        self._all_settled.clear()
        task = asyncio.create_task(self._dispatcher.run())
        async with asyncio.timeout(_PATIENCE):  # what is parked is never settled
            await self._all_settled.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await self._dispatcher.drain(5)

    def _on_delivery(self, delivery: DeliveryRecord) -> None:
        self._settled += len(delivery.latencies)
        if self._settled == _LEARNERS * _TOPICS:
            self._all_settled.set()


def _progress(progress: int) -> list[Submission]:
    """Statements that move each learner in each topic."""
    now = micros(_CLOCK.now())
    submissions = []
    for number in range(_LEARNERS * _TOPICS):
        name = str(uuid.uuid4())
        learner = Recipient.learner(f"known{number // _TOPICS}@example.com")
        target = Target(TargetKind.TOPIC_PROGRESS, f"topic_t{number % _TOPICS}")
        change = Change(learner, target, progress, now + number, name, "rule")
        item = Item(name, now, None, Decision(InputOutcome.APPLIED, rule="rule", changes=(change,)))
        submissions.append(Submission("bench", b"{}", now, (item,)))
    return submissions


async def _post_again(url: str, documents: list[tuple[Mapping[str, str], bytes]]) -> None:
    """Post each document over one of the connections, and read its answer."""
    left = iter(documents)
    query = {"apiKey": API_KEY}
    connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def post_some() -> None:
            for headers, body in left:
                shown = {**headers, "Authorization": f"Bearer {API_KEY}"}
                async with session.post(url, params=query, data=body, headers=shown) as answer:
                    await answer.read()
                    answer.raise_for_status()

        await asyncio.gather(*(post_some() for _ in range(_CONNECTIONS)))


async def _measured(job: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Seconds of CPU of this process, and of time."""
    cpu, began = time.process_time(), time.perf_counter()
    await job()
    return time.process_time() - cpu, time.perf_counter() - began


async def _rounds(
    folder: Path, port: int, tokens: Mapping[str, str]
) -> dict[str, list[tuple[float, float]]]:
    """Microseconds of CPU and of time for each document, without the round that warms up."""
    url = f"http://127.0.0.1:{port}/helium"
    platform = PlatformSettings(url=url, api_key=SecretStr(API_KEY))
    transport = _Recorded(HttpTransport(platform, connections=_CONNECTIONS))
    store = SqliteStore(folder / "bench.db")
    await store.open()
    delivery = _Delivery(store, transport, tokens)
    await delivery.budget.open()
    taken: dict[str, list[tuple[float, float]]] = {_BARE: [], _DELIVERY: []}
    for number in range(_ROUNDS + 1):
        await store.ingest(_progress(number + 1))
        transport.documents.clear()
        jobs = {_DELIVERY: delivery.run, _BARE: lambda: _post_again(url, transport.documents)}
        for name, job in jobs.items():
            cpu, seconds = await _measured(job)
            if number:
                count = len(transport.documents)
                taken[name].append((cpu * 1e6 / count, seconds * 1e6 / count))
    await delivery.budget.close()
    await store.close()
    await transport.close()
    return taken


def main() -> None:
    tune_interpreter()
    with TemporaryDirectory() as name:
        folder = Path(name)
        with emulator_with(folder, _LEARNERS) as (port, tokens):
            taken = uvloop.run(_rounds(folder, port, tokens))
    for place, unit in enumerate(("CPU", "time")):
        record(
            f"Delivery, SQLite: {unit} of a document of {_TOPICS} topics",
            _BARE,
            {name: Spread.of([each[place] for each in rounds]) for name, rounds in taken.items()},
            command="python -m bench.bench_delivery",
        )


if __name__ == "__main__":
    main()
