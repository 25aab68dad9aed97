"""Knows which partitions are ours, and hands them over when the group assigns them again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator

from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

#: seconds that a hand-over waits for the store; well below the group's session timeout (10 s)
_HANDOVER = 5.0


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """What the group gave us last.

    `generation` changes with every deal: a batch that was polled under another one is not ours
    to store any more, unless its transaction had begun. It changes too when one was not stored:
    what was polled after that may not be stored before it. `is_positioned` tells whether the
    consumer stands at our own positions; until then nothing may be polled.
    """

    def __init__(self, commit: Callable[[], Awaitable[None]]) -> None:
        self.generation = 0
        self.is_positioned = False
        #: none while the group deals
        self.partitions: frozenset[TopicPartition] = frozenset()
        #: set when the partitions of this generation are known
        self.assigned = asyncio.Event()
        self._commit = commit
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextlib.contextmanager
    def calling_store(self) -> Iterator[None]:
        """What runs inside is waited for before the partitions are handed over."""
        self._calls += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    def read_again(self, generation: int) -> None:
        """What was polled under `generation` is not all stored: go back to what is."""
        if generation == self.generation:
            self.generation += 1
            self.is_positioned = False

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Let the transaction under way end, so that the next owner finds its positions."""
        self.generation += 1
        self.is_positioned = False
        self.assigned.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _HANDOVER)
        if revoked:
            await self._commit()
        self.partitions = frozenset()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take note; the source's own task moves to the positions, it can wait for the store."""
        self.partitions = frozenset(assigned)
        self.assigned.set()
