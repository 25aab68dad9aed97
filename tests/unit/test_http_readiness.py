"""What /readyz goes by: the last commit, or a write of its own, seldom and never for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.records import Receipt, Submission
from pointsman.sources.http import readiness
from pointsman.sources.http.readiness import FRESH, Readiness
from tests.support.manual_clock import ManualClock


class Store:
    """Takes up to `room` bytes in one write; one that is `stuck` gives no answer."""

    def __init__(self) -> None:
        self.room = 1_000_000
        self.stuck = False
        self.writes: list[int] = []

    async def change_document(self, key: Any, decide: Callable[[Any], tuple[Any, Any]]) -> Any:
        document, result = decide(None)
        await self._write(len(document.content))
        return result

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        await self._write(4_000)
        return []

    async def _write(self, size: int) -> None:
        self.writes.append(size)
        if self.stuck:
            await asyncio.Event().wait()
        if size > self.room:
            raise StoreUnavailable(f"the disk has no room for {size} bytes")


class World:
    """Readiness over such a store."""

    def __init__(self) -> None:
        self.store, self.clock = Store(), ManualClock()
        self.readiness = Readiness(self.store, self.clock)  # type: ignore[arg-type]  # as far as it is asked
        self.watched = self.readiness.watch(self.store)

    async def reason(self, *, after: float = FRESH) -> str:
        self.clock.advance(after)
        return await self.readiness.store_problem()


@pytest.fixture
def world() -> World:
    return World()


async def test_it_asks_the_store_to_write(world: World) -> None:
    assert await world.reason() == ""
    assert len(world.store.writes) == 1

    world.store.room = 0
    assert "the disk has no room" in await world.reason()


async def test_it_writes_once_a_second_at_most_however_many_ask(world: World) -> None:
    await asyncio.gather(*(world.readiness.store_problem() for _ in range(50)))
    for _ in range(50):
        await world.reason(after=FRESH / 100)

    assert len(world.store.writes) == 1


async def test_a_commit_of_a_moment_ago_is_asked_for_nothing(world: World) -> None:
    for _ in range(10):
        world.clock.advance(FRESH)
        await world.watched.ingest([])
        assert await world.reason(after=0) == ""

    assert set(world.store.writes) == {4_000}


async def test_a_post_that_was_not_stored_counts_at_once(world: World) -> None:
    assert await world.reason() == ""
    world.store.room = 1_000

    with pytest.raises(StoreUnavailable):
        await world.watched.ingest([])

    assert "no room for 4000" in await world.reason(after=0)


async def test_after_a_post_that_failed_a_little_room_is_not_enough(world: World) -> None:
    """A post of the size that failed would fail again, and be a sender's loss."""
    world.store.room = 1_000
    with pytest.raises(StoreUnavailable):
        await world.watched.ingest([])

    assert "no room" in await world.reason()
    world.store.room = 1_000_000
    assert await world.reason() == ""
    assert await world.reason() == ""
    assert [size > 50_000 for size in world.store.writes] == [False, True, True, False]


async def test_a_post_that_is_stored_ends_the_trouble(world: World) -> None:
    world.store.room = 1_000
    with pytest.raises(StoreUnavailable):
        await world.watched.ingest([])
    world.store.room = 5_000

    await world.watched.ingest([])

    assert await world.reason(after=0) == ""


async def test_a_store_that_hangs_is_not_waited_for_and_asked_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs while another process holds the file's lock."""
    monkeypatch.setattr(readiness, "ANSWERS_WITHIN", 0.0)
    world.store.stuck = True

    for _ in range(5):
        assert "has not written within" in await world.reason()

    assert len(world.store.writes) == 1
    await world.readiness.close()
