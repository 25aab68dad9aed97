"""Reads that are asked for at the same time share one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from pointsman.domain.errors import StoreUnavailable
from pointsman.sources.players.grouped_reads import GroupedReads


class Reader:
    """Keeps what it is asked, and answers when it is let."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    async def read(self, names: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(names))
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return {name: len(self.asked) for name in names}


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_asked_for_at_once_is_one_read() -> None:
    reader = Reader()
    reads = GroupedReads(reader.read)
    answers = await asyncio.gather(reads.read(["b"]), reads.read(["a", "b"]), reads.read(["c"]))
    assert reader.asked == [["a", "b", "c"]]
    assert all(answer == {"a": 1, "b": 1, "c": 1} for answer in answers)


async def test_what_is_asked_for_while_a_read_runs_is_never_answered_by_that_one() -> None:
    reader = Reader()
    reader.may_answer.clear()
    reads = GroupedReads(reader.read)
    first = asyncio.create_task(reads.read(["a"]))
    await _turns()
    later = [asyncio.create_task(reads.read([name])) for name in ("a", "b")]
    await _turns()
    assert reader.asked == [["a"]]
    reader.may_answer.set()
    assert await first == {"a": 1}
    assert [await task for task in later] == [{"a": 2, "b": 2}] * 2
    assert reader.asked == [["a"], ["a", "b"]]


async def test_an_error_goes_to_those_who_asked_and_the_next_read_is_another_one() -> None:
    reader = Reader()
    reader.error = StoreUnavailable("away")
    reads = GroupedReads(reader.read)
    results = await asyncio.gather(reads.read(["a"]), reads.read(["b"]), return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailable] * 2
    reader.error = None
    assert await reads.read(["a"]) == {"a": 2}


@pytest.mark.parametrize("gone", [0, 1])
async def test_who_goes_away_takes_nothing_from_the_others(gone: int) -> None:
    reader = Reader()
    reader.may_answer.clear()
    reads = GroupedReads(reader.read)
    tasks = [asyncio.create_task(reads.read([name])) for name in ("a", "b")]
    await _turns()
    tasks[gone].cancel()
    await _turns()
    reader.may_answer.set()
    assert await tasks[1 - gone] == {"a": 1, "b": 1}
    assert tasks[gone].cancelled()


async def test_an_error_that_nobody_waits_for_any_longer_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = Reader()
    reader.may_answer.clear()
    reader.error = StoreUnavailable("away")
    reads = GroupedReads(reader.read)
    task = asyncio.create_task(reads.read(["a"]))
    await _turns()
    task.cancel()
    await _turns()
    reader.may_answer.set()
    await _turns()
    reader.error = None
    assert await reads.read(["a"]) == {"a": 2}
    assert not caplog.records
