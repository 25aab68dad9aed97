"""How much is done for a document from its lease to its settlement, in counts and not in time.

A change that makes the path longer fails here. The failure lists what is called most: make that
less, or raise the number and say why in the change.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import orjson

from pointsman.platforms.helium import HttpAnswer
from tests.support.change_factory import change, each, topic
from tests.support.virtual_delivery import KEY, VirtualDelivery, catalogue
from tests.support.virtual_time import EmulatorTransport, run_virtually
from tests.support.work_counts import counted_calls

_LEARNERS, _TOPICS = 100, 5
_HEADERS = {
    "Date": "Sun, 29 Nov 2026 12:00:00 GMT",
    "X-RateLimit-Remaining": "90000",
    "X-RateLimit-Reset": "30",
}


class _Yes(EmulatorTransport):
    """A platform that takes everything, so that its own work is not counted."""

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        await asyncio.sleep(0.05)
        aliases = [f"m{place}" for place in range(_TOPICS)]
        return HttpAnswer(200, _HEADERS, orjson.dumps({"data": dict.fromkeys(aliases, True)}))


async def _token(learner: str) -> str:
    return f"token-of-{learner}"


async def _wait_for_all(sim: VirtualDelivery, progress: int) -> None:
    """Until each learner's topics are settled at so much progress."""
    settled = len(sim.records) + _LEARNERS
    sim.dispatcher.wake()
    while len(sim.records) < settled:
        await sim.clock.sleep(0.1)
    books = await sim.store.books()
    assert (books.delivered, books.balanced) == (_LEARNERS * _TOPICS, True), progress


#: calls of our functions and steps of SQL, at most, for each document of five topics
_MOST_CALLS, _MOST_SQL = 405.0, 0.75


def test_a_document_costs_no_more_calls_and_steps_of_sql_than_it_did(tmp_path: Path) -> None:
    async def main() -> tuple[Counter[str], list[str]]:
        sql: list[str] = []
        async with VirtualDelivery(
            tmp_path,
            catalogue(1, 1),
            requests=10**6,
            points=10**7,
            transport=lambda emulator: _Yes(emulator, KEY),
        ) as sim:
            sim.tokens.token = _token  # type: ignore[method-assign]
            connection = sim.store._connection
            assert connection is not None
            for progress in (10, 20):
                await sim.store.ingest(
                    each(
                        [
                            change(f"l{number}@example.com", topic(f"t{place}"), progress)
                            for number in range(_LEARNERS)
                            for place in range(_TOPICS)
                        ]
                    )
                )
                sql.clear()
                connection.set_trace_callback(sql.append)
                with counted_calls() as calls:
                    await _wait_for_all(sim, progress)
                connection.set_trace_callback(None)
        return calls, sql

    calls, sql = run_virtually(main())
    done = Counter(
        {
            name: count / _LEARNERS
            for name, count in calls.items()
            if not name.startswith("simulation/")
        }
    )
    called, steps = sum(done.values()), len(sql) / _LEARNERS
    print(f"{called:.1f} calls, {steps:.2f} steps of SQL")  # noqa: T201 - with -s
    most = "\n".join(f"{count:7.2f} {name}" for name, count in done.most_common(40))
    assert called <= _MOST_CALLS, most
    assert steps <= _MOST_SQL, "\n".join(sql[:40])
