"""Group commit: what arrives while a transaction runs, or in the same moment, shares one.

A store supplies the transaction. When a shared one fails, each piece of work is tried again alone,
so that a bad one fails by itself. What no store can hold is its sender's fault: they are told, or
it becomes a dead letter where nobody can be told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from pointsman.domain.clock import Clock
from pointsman.domain.errors import NotStorable, StoreUnavailable
from pointsman.domain.frozen import record
from pointsman.domain.records import Receipt, Submission
from pointsman.store.statement_conflicts import conflict_letter
from pointsman.store.unstorable import add_receipts, bury, parts

#: seconds that a commit is delayed for work that still comes, where nobody says otherwise
DELAY = 0.02
#: submissions that share a commit at most; the rest waits for the next one
MAX_SUBMISSIONS = 2_000
#: turns of the event loop without new work after which a commit begins: a request that was read
#: takes as many from its socket to the store
QUIET_TURNS = 3

Connection = TypeVar("Connection")
T = TypeVar("T")


@record
class Work(Generic[Connection]):
    """Either submissions, whose result is a receipt each, or a call; `done` gets the result."""

    done: asyncio.Future[Any]
    submissions: tuple[Submission, ...] = ()
    call: Callable[[Connection], Any] | None = None


#: Does all works in one transaction; a result each, in order. Raises `StoreUnavailable` for what
#: is no single work's own fault, and anything else for what may be.
Transaction = Callable[[Sequence[Work[Connection]]], Awaitable[list[Any]]]


class GroupCommit(Generic[Connection]):
    """One transaction at a time, each taking all the work that waits.

    A commit is delayed while submissions keep coming, `delay` seconds at most; then the store's
    thread does not contend with the loop for the interpreter. A call is not delayed.

    `on_commit` gets the seconds that a transaction took, and its submissions.
    """

    def __init__(
        self,
        transaction: Transaction[Connection],
        on_commit: Callable[[float, int], None],
        clock: Clock,
        delay: float,
    ) -> None:
        self._transaction = transaction
        self._on_commit = on_commit
        self._clock = clock
        self._delay = delay
        self._waiting: list[Work[Connection]] = []
        self._busy: asyncio.Task[None] | None = None

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        receipts: list[Receipt] = await self._enqueue(tuple(submissions), None)
        return receipts

    async def run(self, call: Callable[[Connection], T]) -> T:
        result: T = await self._enqueue((), call)
        return result

    async def close(self) -> None:
        """Wait until all work is done. It is done even where who waits is cancelled."""
        while self._busy is not None:
            await asyncio.wait({self._busy})

    async def _enqueue(
        self, submissions: tuple[Submission, ...], call: Callable[[Connection], Any] | None
    ) -> Any:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(Work(done, submissions, call))
        if self._busy is None:
            self._busy = asyncio.create_task(self._drain())
        return await done

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._wait_for_more()
                works = self._take()
                outcomes = await self._commit(works)
                for work, outcome in zip(works, outcomes, strict=True):
                    if work.done.done():  # the caller was cancelled; its work is committed
                        continue
                    if isinstance(outcome, BaseException):
                        work.done.set_exception(outcome)
                    else:
                        work.done.set_result(outcome)
        finally:
            self._busy = None

    async def _wait_for_more(self) -> None:
        """Until nothing came for some turns of the loop, there is a call, or it was long enough."""
        until = self._clock.monotonic() + self._delay
        seen = submissions = quiet_turns = 0
        while quiet_turns < QUIET_TURNS:
            if len(self._waiting) > seen:
                for work in self._waiting[seen:]:
                    if work.call is not None:
                        return
                    submissions += len(work.submissions)
                if submissions >= MAX_SUBMISSIONS or self._clock.monotonic() >= until:
                    return
                seen, quiet_turns = len(self._waiting), 0
            await asyncio.sleep(0)
            quiet_turns += 1

    def _take(self) -> list[Work[Connection]]:
        count = 0
        for place, work in enumerate(self._waiting):
            count += len(work.submissions)
            if count > MAX_SUBMISSIONS and place:
                works, self._waiting = self._waiting[:place], self._waiting[place:]
                return works
        works, self._waiting = self._waiting, []
        return works

    async def _commit(self, works: list[Work[Connection]]) -> list[Any]:
        """A result or an error for each."""
        started = time.perf_counter()
        try:
            outcomes = await self._transaction(works)
        except StoreUnavailable as error:
            return [error] * len(works)
        except Exception as error:  # noqa: BLE001 - it goes to the caller whose work it was
            if len(works) == 1:
                return [await self._alone(works[0], error)]
            return [outcome for work in works for outcome in await self._commit([work])]
        count = sum(len(work.submissions) for work in works)
        self._on_commit(time.perf_counter() - started, count)
        return outcomes

    async def _alone(self, work: Work[Connection], error: Exception) -> Any:
        """The receipts of a work that failed by itself, or its error."""
        if not isinstance(error, NotStorable) or not work.submissions:
            return error
        try:
            if len(work.submissions) > 1:
                return [await self._store(one) for one in work.submissions]
            (submission,) = work.submissions
            if submission.all_or_nothing or not submission.items:
                return error
            return [await self._store_what_can_be(submission)]
        except (NotStorable, StoreUnavailable) as refusal:
            return refusal

    async def _store(self, submission: Submission) -> Receipt:
        work: Work[Connection] = Work(asyncio.get_running_loop().create_future(), (submission,))
        (outcome,) = await self._commit([work])
        if isinstance(outcome, BaseException):
            raise outcome
        receipts: list[Receipt] = outcome
        return receipts[0]

    async def _store_what_can_be(self, submission: Submission) -> Receipt:
        """Each statement by itself, and those that fail as dead letters; the position at last."""
        receipts: list[Receipt] = []
        letters = list(submission.dead)
        for part in parts(submission):
            try:
                receipt = await self._store(part)
            except NotStorable as error:
                letters.append(bury(submission, part, str(error)))
                continue
            if receipt.conflicts:  # nobody is there to be told
                letters.append(conflict_letter(submission, part.items[0]))
            receipts.append(receipt)
        rest = replace(submission, items=(), dead=tuple(letters))
        return add_receipts([*receipts, await self._store(rest)])
