"""The quota window as commands and pages read it from the store, whoever spends it."""

from __future__ import annotations

import json
import math
import time

import asyncpg

from demo.database import Database
from pointsman.delivery.budget.base import Budget
from pointsman.delivery.budget.local import LocalBudget
from pointsman.delivery.budget.shared import SharedBudget
from pointsman.delivery.budget.shared_window import SharedWindow
from pointsman.domain.clock import SystemClock
from pointsman.platforms.base import PlatformAnswer, RateReading, RequestOutcome
from pointsman.store.base import Store
from pointsman.store.migrations import all_of
from pointsman.store.postgres import PostgresStore
from pointsman.store.postgres.schema import PACKAGE, migrate
from pointsman.store.sqlite import SqliteStore
from tests.support.databases import fresh_database
from tests.support.quota import quota_limits

LIMITS = quota_limits(100_000, 2_500, 1.0, 0.2)
ANSWER = PlatformAnswer(RequestOutcome.ANSWERED, (), RateReading(50_000, 60.0))


def budgets(store: Store) -> list[Budget]:
    """Of all who may spend from it at once."""
    clock = SystemClock()
    if isinstance(store, SqliteStore):
        return [LocalBudget(LIMITS, clock, store)]
    assert isinstance(store, PostgresStore)
    return [SharedBudget(LIMITS, clock, store) for _ in range(2)]


async def test_the_store_knows_what_all_have_sent_and_until_when_it_counts(store: Store) -> None:
    assert await store.window() is None
    spending = budgets(store)
    for budget in spending:
        await budget.open()
    for number in range(6):
        budget = spending[number % len(spending)]
        reservation = await budget.reserve(10, give_up_at=math.inf)
        assert reservation is not None
        budget.settle(reservation, ANSWER)
    for budget in spending:
        await budget.close()
    window = await store.window()
    assert window is not None
    assert (window.requests, window.points) == (6, 60)
    assert 59 < window.ends_at / 1e6 - time.time() < 62


async def test_what_a_version_before_dealt_in_the_last_minute_is_spent(database: Database) -> None:
    async with fresh_database(database) as dsn:
        connection = await asyncpg.connect(dsn)
        steps = all_of(PACKAGE)
        (ours,) = (step.number for step in steps if step.name == "quota_window")
        for step in steps[: ours - 1]:
            await connection.execute(step.sql)
        await connection.execute("CREATE TABLE IF NOT EXISTS schema (number integer NOT NULL)")
        await connection.execute("INSERT INTO schema VALUES ($1)", ours - 1)
        at = 1_767_571_200_250_000
        text = json.dumps({"requests_due": 5, "dealt": [[at, 30, 400], [at + 250_000, 3, 20]]})
        await connection.execute("INSERT INTO pace (id, state) VALUES (1, $1)", text)
        await migrate(connection)
        state = await connection.fetchval("SELECT state FROM quota_window")
        before = json.loads(await connection.fetchval("SELECT state FROM pace"))
        await connection.close()
    # a replica of that version waits for an hour
    assert before["dealt"] == []
    assert before["blocked_until"] / 1e6 > time.time() + 3_500
    window = SharedWindow.read(state, LIMITS)
    window.move_to(at / 1e6 + 1)
    assert list(map(tuple, window.books.log.counted)) == [
        (at / 1e6, 30, 400),
        (at / 1e6 + 0.25, 3, 20),
    ]
    assert window.left().requests == LIMITS.requests - 33
