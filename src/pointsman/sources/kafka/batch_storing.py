"""Stores what was polled. A message that makes our own code fail is a dead letter, by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from aiokafka.errors import KafkaError

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Retry
from pointsman.domain.log_steps import REPORT_IT
from pointsman.domain.records import DeadLetter, Receipt, Submission
from pointsman.sources.kafka.messages import Message, MessageReader, origin_of, read_records
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.store_retry import StopSignal, StoreRetry
from pointsman.sources.parse_thread import LARGE, in_thread_if_large

log = structlog.get_logger(__name__)

#: records read between two turns of the event loop, unless they are more than `LARGE`
_CHUNK = 20
#: times that a message may make our code fail before it is a dead letter
_TRIES = 3


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """Messages, and what they are to the store; None where one of them makes our code fail."""

    messages: Sequence[Message]
    submissions: Sequence[Submission] | None


class BatchStoring:
    """Reads and stores messages in their order."""

    def __init__(
        self,
        settings: KafkaSourceSettings,
        intake: MessageReader,
        clock: Clock,
        store_retry: StoreRetry,
        stop: StopSignal,
    ) -> None:
        self._settings = settings
        self._intake = intake
        self._clock = clock
        self._store_retry = store_retry
        self._stop = stop

    async def read(self, messages: Sequence[Message], generation: int) -> ReadBatch | None:
        """What the store is given of them; None when the partitions went away first."""
        try:
            submissions = await self._read(messages, generation)
        except (Retry, KafkaError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, each is tried alone
            self._tell_alone(messages, error)
            return ReadBatch(messages, None)
        return None if submissions is None else ReadBatch(messages, submissions)

    async def store(self, batch: ReadBatch, generation: int) -> list[Receipt] | None:
        """Receipts after the commit; None when the partitions went away first."""
        if batch.submissions is not None:
            try:
                return await self._ingest(batch.submissions, generation)
            except (Retry, KafkaError):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, each is tried alone
                self._tell_alone(batch.messages, error)
        receipts: list[Receipt] = []
        for message in batch.messages:
            stored = await self._store_alone(message, generation)
            if stored is None:
                return None
            receipts += stored
        return receipts

    def _tell_alone(self, messages: Sequence[Message], error: Exception) -> None:
        log.error(
            "kafka messages can't be taken together for a reason of ours; each is tried alone",
            source=self._settings.name,
            messages=len(messages),
            error=f"{type(error).__name__}: {error}",
            next=REPORT_IT,
            exc_info=error,
        )

    async def _read(self, messages: Sequence[Message], generation: int) -> list[Submission] | None:
        bodies = [one.record.value for one in messages if one.record.value is not None]

        async def prepare() -> bool:
            await self._intake.prepare(bodies)
            return True

        if await self._store_retry.call(prepare, generation) is None:
            return None
        submissions: list[Submission] = []
        for some, size in _chunks(messages):
            read = partial(read_records, self._intake, self._settings, some, self._clock)
            submissions += await in_thread_if_large(size, read)
            await asyncio.sleep(0)
        return submissions

    async def _store_alone(self, message: Message, generation: int) -> list[Receipt] | None:
        """One message, as a dead letter in the end. Raises what even that ends with."""
        reason = ""
        for failures in range(1, _TRIES + 1):
            try:
                submissions = await self._read([message], generation)
                if submissions is None:
                    return None
                return await self._ingest(submissions, generation)
            except (Retry, KafkaError):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                reason = f"{type(error).__name__}: {error}"
                cause = error
            if failures < _TRIES:
                await self._stop.back_off(failures)
        record = message.record
        log.error(
            "kafka message is a dead letter for a reason of ours",
            source=self._settings.name,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            error=reason,
            next="report this with the traceback; `pointsman dead-letters replay` takes it once it "
            "is corrected",
            exc_info=cause,
        )
        return await self._ingest([self._dead(message, reason)], generation)

    def _dead(self, message: Message, reason: str) -> Submission:
        body = message.record.value or b""
        letter = DeadLetter(
            f"taking it failed {_TRIES} times: {reason}", origin_of(message.record), body
        )
        return Submission(
            self._settings.name,
            body,
            micros(self._clock.now()),
            (),
            (letter,),
            message.after,
            all_or_nothing=False,
        )

    async def _ingest(
        self, submissions: Sequence[Submission], generation: int
    ) -> list[Receipt] | None:
        async def ingest() -> list[Receipt]:
            return list(await self._intake.ingest(submissions))

        return await self._store_retry.call(ingest, generation)


def _chunks(messages: Sequence[Message]) -> Iterator[tuple[list[Message], int]]:
    """A few messages at a time with their bytes, a large one by itself."""
    some: list[Message] = []
    size = 0
    for message in messages:
        more = len(message.record.value or b"")
        if some and (len(some) == _CHUNK or size + more > LARGE):
            yield some, size
            some, size = [], 0
        some.append(message)
        size += more
    if some:
        yield some, size
