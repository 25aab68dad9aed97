"""How far statements can be seen, and how often the store is asked for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from pointsman.domain.errors import StoreUnavailable
from pointsman.sources.http.lrs.consistent_through import ConsistentThrough


@dataclass
class FakeStore:
    """Counts how often it is asked; its time is the clock's."""

    at: float = 0.0
    asked: int = 0
    away: bool = False

    async def through(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable
        return round(self.at * 1_000_000)

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


async def test_a_query_always_asks() -> None:
    store = FakeStore()
    consistency = ConsistentThrough(store.through, store)
    assert await consistency.now() == "1970-01-01T00:00:00.000Z"
    store.at = 0.25
    assert await consistency.now() == "1970-01-01T00:00:00.250Z"


async def test_all_others_ask_once_a_second() -> None:
    store = FakeStore()
    consistency = ConsistentThrough(store.through, store)
    for at, asked in ((0.0, 1), (0.5, 1), (0.999, 1), (1.0, 2), (1.5, 2), (9.0, 3)):
        store.at = at
        await consistency.lately()
        assert store.asked == asked


async def test_a_query_answers_for_those_after_it() -> None:
    store = FakeStore(at=5.0)
    consistency = ConsistentThrough(store.through, store)
    told = await consistency.now()
    store.at = 5.9
    assert (await consistency.lately(), store.asked) == (told, 1)


async def test_of_many_at_once_only_one_asks() -> None:
    store = FakeStore()
    consistency = ConsistentThrough(store.through, store)
    told = await consistency.lately()
    store.at = 2.0
    answers = await asyncio.gather(*(consistency.lately() for _ in range(100)))
    assert (set(answers), store.asked) == ({told, "1970-01-01T00:00:02.000Z"}, 2)


async def test_while_the_store_is_away_what_was_true_is_said_again() -> None:
    store = FakeStore(away=True)
    consistency = ConsistentThrough(store.through, store)
    assert await consistency.lately() == ""
    store.away = False
    told = await consistency.lately()
    store.at, store.away = 60.0, True
    assert await consistency.lately() == told
    with pytest.raises(StoreUnavailable):
        await consistency.now()
