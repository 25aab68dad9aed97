"""One connection to the broker: from joining the group to leaving it, or to the first trouble."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from pointsman.clock import Clock
from pointsman.errors import StoreUnavailable
from pointsman.model import Position, Receipt, Submission
from pointsman.sources.kafka.batch import Intake, ends, submission
from pointsman.sources.kafka.rebalance import Assignment
from pointsman.sources.kafka.settings import KafkaHooks, KafkaSettings, new_consumer
from pointsman.sources.kafka.waiting import Waiting

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: milliseconds that a poll waits for records; a stop and a hand-over wait as long at most
_POLL = 250
#: seconds that a transaction may take before the partitions are paused
_SLOW = 2.0
#: seconds between two commits to the broker, and that one may take
_COMMIT_EVERY, _COMMIT_PATIENCE = 1.0, 2.0
#: seconds that a stop waits for the transaction under way
_LAST = 10.0
#: records read between two turns of the event loop
_CHUNK = 50


class Session:
    """`joined` is whether the group was ever joined."""

    def __init__(
        self,
        settings: KafkaSettings,
        intake: Intake,
        positions: Callable[[str], Awaitable[list[Position]]],
        clock: Clock,
        hooks: KafkaHooks,
        waiting: Waiting,
    ) -> None:
        self.joined = False
        self._settings = settings
        self._intake = intake
        self._positions = positions
        self._clock = clock
        self._hooks = hooks
        self._waiting = waiting
        self._assignment = Assignment(self._commit)
        self._consumer = new_consumer(settings)
        #: the next offset that is not stored, of each partition that was read from
        self._next: dict[TopicPartition, int] = {}
        self._tidied = clock.monotonic()
        self._paused = False

    async def run(self) -> None:
        """Read until a stop. Raises what the broker or the client is troubled by."""
        self._consumer.subscribe(topics=list(self._settings.topics), listener=self._assignment)
        await self._waiting.unless_stopped(self._consumer.start())
        self.joined = not self._waiting.stopped
        while not self._waiting.stopped:
            if not self._assignment.dealt.is_set():
                await self._waiting.unless_stopped(self._deal())
            elif not self._assignment.placed:
                await self._place()
            else:
                await self._store(*await self._poll())
                await self._tidy()

    async def close(self) -> None:
        """Commit, and leave the group."""
        self._pause(on=False)
        await self._commit()
        await self._consumer.stop()

    async def _deal(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._assignment.dealt.wait(), 1.0)
        self._consumer._coordinator.check_errors()

    async def _place(self) -> None:
        """Move every partition to our position, which wins over the group's."""
        generation = self._assignment.generation
        stored = await self._persist(self._stored_positions, generation)
        if stored is None or generation != self._assignment.generation:
            return
        assigned = self._assignment.partitions
        # A partition without a stored position may have been polled, and its records dropped.
        self._next = {
            place: offset for place, offset in (self._next | stored).items() if place in assigned
        }
        for place, offset in self._next.items():
            self._consumer.seek(place, offset)
        self._assignment.placed = True
        log.info(
            "kafka partitions assigned",
            source=self._settings.name,
            partitions=sorted(f"{place.topic}/{place.partition}" for place in assigned),
        )

    async def _stored_positions(self) -> dict[TopicPartition, int]:
        return {
            TopicPartition(one.topic, one.partition): one.offset
            for one in await self._positions(self._settings.group_id)
        }

    async def _poll(self) -> tuple[int, list[ConsumerRecord]]:
        generation = self._assignment.generation
        try:
            polled = await self._consumer.getmany(
                timeout_ms=_POLL, max_records=self._settings.max_records
            )
        except OffsetOutOfRangeError as error:
            for place, offset in error.args[0].items():
                await self._reset(place, offset)
            return generation, []
        except NoOffsetForPartitionError as error:
            await self._reset(error.args[0], None)
            return generation, []
        for place, records in polled.items():
            self._next.setdefault(place, records[0].offset)
        return generation, [record for records in polled.values() for record in records]

    async def _reset(self, place: TopicPartition, offset: int | None) -> None:
        where = self._settings.auto_offset_reset
        if offset is not None:
            log.error(
                "the stored position is out of the partition's range; messages may be lost",
                source=self._settings.name,
                topic=place.topic,
                partition=place.partition,
                offset=offset,
                continues_at=where,
            )
        self._next.pop(place, None)
        if where == "earliest":
            await self._consumer.seek_to_beginning(place)
        else:
            await self._consumer.seek_to_end(place)

    async def _store(self, generation: int, records: Sequence[ConsumerRecord]) -> None:
        submissions: list[Submission] = []
        for count, record in enumerate(records, start=1):
            submissions.append(
                submission(
                    self._intake,
                    self._settings.name,
                    self._settings.group_id,
                    record,
                    self._clock,
                )
            )
            if count % _CHUNK == 0:
                await asyncio.sleep(0)

        async def ingest() -> Sequence[Receipt]:
            return await self._intake.ingest(submissions)

        if submissions and await self._persist(ingest, generation) is not None:
            self._next |= ends(submissions)

    async def _persist(
        self, call: Callable[[], Coroutine[Any, Any, T]], generation: int
    ) -> T | None:
        """Ask the store until it answers; None when the partitions or the time went away first."""
        failures = 0
        try:
            while generation == self._assignment.generation:
                self._assignment.idle.clear()
                try:
                    return await self._patiently(call())
                except StoreUnavailable as error:
                    failures += 1
                    log.warning(
                        "kafka source waits for the store",
                        source=self._settings.name,
                        error=str(error),
                        failures=failures,
                    )
                finally:
                    self._assignment.idle.set()
                await self._keep_alive()
                await self._waiting.back_off(failures)
                if self._waiting.stopped:
                    break
            return None
        finally:
            self._pause(on=False)
