"""Group commit, whatever the store: work shares transactions, and fails by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from pointsman.domain.errors import NotStorable, StoreUnavailable
from pointsman.domain.records import Receipt
from pointsman.store.group_commit import MAX_SUBMISSIONS, QUIET_TURNS, GroupCommit, Work
from tests.support.change_factory import change, item, submission, topic, wants
from tests.support.manual_clock import ManualClock


class Transactions:
    """Commits whatever it is given; what each transaction took, by number of submissions."""

    def __init__(self, delay: float = 0.02) -> None:
        self.clock = ManualClock()
        self.started = asyncio.Event()
        self.taken: list[list[int]] = []
        self.unavailable = False
        #: ids of statements that can't be stored; "" is a submission that has none left
        self.refused: set[str] = set()
        #: the statements of dead letters that were stored
        self.letters: list[str | None] = []
        self.leaves_after: int | None = None
        self.commits: list[int] = []
        self.group = GroupCommit[str](
            self._commit, lambda _seconds, n: self.commits.append(n), self.clock, delay
        )

    async def _commit(self, works: Sequence[Work[str]]) -> list[Any]:
        self.taken.append([len(work.submissions) for work in works])
        self.started.set()
        await asyncio.sleep(0)
        if self.unavailable or len(self.taken) - 1 == self.leaves_after:
            raise StoreUnavailable
        submissions = [each for work in works for each in work.submissions]
        for each in submissions:
            names = {statement.statement_id for statement in each.items} or {""}
            if names & self.refused:
                raise NotStorable
        self.letters += [letter.statement_id for each in submissions for letter in each.dead]
        return [
            work.call("connection")
            if work.call is not None
            else [Receipt({})] * len(work.submissions)
            for work in works
        ]


ONE = wants(change("ana", topic("t"), 40))


async def test_what_arrives_during_a_transaction_shares_the_next() -> None:
    store = Transactions()
    first = asyncio.create_task(store.group.ingest([ONE]))
    await store.started.wait()
    await asyncio.gather(first, *(store.group.ingest([ONE, ONE]) for _ in range(3)))
    assert store.taken == [[1], [2, 2, 2]]
    assert store.commits == [1, 6]


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def _ingest_every(store: Transactions, turns: int, milliseconds: float = 0.0) -> None:
    """Work that comes every few turns of the loop, until a transaction has begun."""
    async with asyncio.TaskGroup() as senders:
        while not store.started.is_set():
            senders.create_task(store.group.ingest([ONE]))
            store.clock.advance(milliseconds / 1_000)
            await _turns(turns)


async def test_a_lone_submission_waits_for_some_turns_of_the_loop_and_for_no_time() -> None:
    store = Transactions()
    alone = asyncio.create_task(store.group.ingest([ONE]))
    await _turns(2 + QUIET_TURNS)
    assert store.started.is_set()
    await alone


async def test_submissions_that_keep_coming_share_one_commit() -> None:
    store = Transactions()

    async def arrive_later(turns: int) -> None:
        await _turns(turns)
        await store.group.ingest([ONE])

    await asyncio.gather(*(arrive_later(turns) for turns in range(0, 40, QUIET_TURNS - 1)))
    assert store.taken == [[1] * 20]


async def test_work_that_never_ends_delays_a_commit_no_longer_than_the_setting_allows() -> None:
    store = Transactions(delay=0.02)
    await _ingest_every(store, turns=1, milliseconds=1)
    assert 20 <= sum(store.taken[0]) <= 22


async def test_a_full_transaction_waits_no_longer_though_no_time_goes_by() -> None:
    store = Transactions()
    await _ingest_every(store, turns=1)
    assert sum(store.taken[0]) == MAX_SUBMISSIONS


async def test_without_a_delay_a_commit_begins_at_once() -> None:
    store = Transactions(delay=0)
    await _ingest_every(store, turns=1)
    assert store.taken[0] == [1]


async def test_a_call_is_not_delayed_and_takes_along_what_waits() -> None:
    store = Transactions()
    alone = Transactions()
    call = asyncio.create_task(alone.group.run(str.upper))
    await _turns(2)
    assert alone.started.is_set()
    await asyncio.gather(store.group.ingest([ONE]), store.group.run(str.upper), call)
    assert store.taken == [[1, 0]]


async def test_a_transaction_takes_so_many_submissions_at_most_and_always_one_work() -> None:
    store = Transactions()
    sizes = [MAX_SUBMISSIONS + 1, MAX_SUBMISSIONS - 1, 1, 1]
    receipts = await asyncio.gather(*(store.group.ingest([ONE] * size) for size in sizes))
    assert [len(each) for each in receipts] == sizes
    assert store.taken == [[sizes[0]], [sizes[1], 1], [1]]


async def test_work_that_fails_is_tried_alone_and_the_rest_is_committed() -> None:
    store = Transactions()

    def fail(_connection: str) -> None:
        raise LookupError("of this work alone")

    results = await asyncio.gather(
        store.group.run(str.upper),
        store.group.run(fail),
        store.group.ingest([ONE]),
        return_exceptions=True,
    )
    assert results[0] == "CONNECTION"
    assert isinstance(results[1], LookupError)
    assert results[2] == [Receipt({})]
    assert store.taken == [[0, 0, 1], [0], [0], [1]]


async def test_a_store_that_is_away_is_asked_once_for_all() -> None:
    store = Transactions()
    store.unavailable = True
    results = await asyncio.gather(
        *(store.group.ingest([ONE]) for _ in range(3)), return_exceptions=True
    )
    assert [type(one) for one in results] == [StoreUnavailable] * 3
    assert (store.taken, store.commits) == ([[1, 1, 1]], [])


async def test_the_work_of_a_caller_that_is_gone_is_done_and_holds_nothing_up() -> None:
    store = Transactions()
    gone = asyncio.create_task(store.group.ingest([ONE]))
    stays = asyncio.create_task(store.group.ingest([ONE]))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await stays == [Receipt({})]
    await store.group.close()
    assert store.taken == [[1, 1]]


async def test_what_can_not_be_stored_and_has_no_sender_is_buried_without_its_neighbours() -> None:
    store = Transactions()
    store.refused = {"bad"}
    parts = [item(digest=place, statement_id=name) for place, name in enumerate(("a", "bad", "c"))]
    both = submission(*parts, body=b"{}", all_or_nothing=False)
    (receipt,) = await store.group.ingest([both])
    assert receipt == Receipt({}, fenced=False)
    assert store.letters == ["bad"]
    # the whole, each statement alone, and the rest
    assert store.taken == [[1], [1], [1], [1], [1]]


async def test_a_letter_that_can_not_be_stored_either_is_an_error_and_no_loop() -> None:
    store = Transactions()
    store.refused = {"bad", ""}
    whole = submission(item(statement_id="bad"), all_or_nothing=False)
    with pytest.raises(NotStorable):
        await store.group.ingest([whole])
    assert len(store.taken) == 3


async def test_a_store_that_goes_away_while_a_message_is_taken_apart_is_told_as_that() -> None:
    store = Transactions()
    store.refused = {"bad"}
    store.leaves_after = 2
    whole = submission(item(statement_id="a"), item(statement_id="bad"), all_or_nothing=False)
    with pytest.raises(StoreUnavailable):
        await store.group.ingest([whole])


async def test_whoever_gives_up_waiting_for_the_end_takes_no_work_with_them() -> None:
    store = Transactions()
    work = asyncio.create_task(store.group.ingest([ONE]))
    await _turns(1)
    closing = asyncio.create_task(store.group.close())
    await _turns(1)
    closing.cancel()
    await asyncio.wait({closing})
    await store.group.close()
    assert (work.done(), store.taken) == (True, [[1]])
    await work
