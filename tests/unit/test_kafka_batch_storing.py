"""A message that makes our own code fail is a dead letter by itself; the others are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from structlog.testing import capture_logs

from pointsman.domain.errors import PartitionLost, StoreUnavailable
from pointsman.domain.log_positions import Position
from pointsman.domain.records import Receipt, Submission
from pointsman.sources.batch import LogMessage
from pointsman.sources.kafka.batch_storing import BatchStoring
from pointsman.sources.kafka.hooks import KafkaHooks
from pointsman.sources.kafka.messages import Message
from pointsman.sources.kafka.rebalance import Assignment
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.store_retry import StopSignal, StoreRetry
from tests.support.manual_clock import ManualClock

SETTINGS = KafkaSourceSettings(name="events", bootstrap_servers=("b:9092",), topics=("t",))
BAD = b"bad"


class Intake:
    """Fails at one of its calls, for one body, a number of times."""

    def __init__(self, step: str, times: int, error: Exception) -> None:
        self.stored: list[Submission] = []
        self._step = step
        self._times = times
        self._error = error

    def _fail(self, step: str, body: bytes) -> None:
        if step == self._step and body == BAD and self._times > 0:
            self._times -= 1
            raise self._error

    async def prepare(self, bodies: Iterable[bytes]) -> None:
        for body in bodies:
            self._fail("prepare", body)

    def read_messages(self, messages: Sequence[LogMessage]) -> list[Submission]:
        return [self._read(message) for message in messages]

    def _read(self, message: LogMessage) -> Submission:
        self._fail("read_messages", message.body)
        return Submission(message.source, message.body, 0, (), position=message.position)

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        for one in submissions:
            if not one.dead:
                self._fail("ingest", one.body)
        self.stored += submissions
        return [Receipt({})] * len(submissions)


class NoConsumer:
    """A consumer with nothing assigned."""

    def assignment(self) -> frozenset[Any]:
        return frozenset()

    def paused(self) -> frozenset[Any]:
        return frozenset()

    def pause(self, *_: Any) -> None: ...

    def resume(self, *_: Any) -> None: ...

    async def getmany(self, **_: Any) -> dict[Any, Any]:
        return {}


def messages(*bodies: bytes) -> list[Message]:
    return [
        Message(
            ConsumerRecord("t", 0, offset, 0, 0, None, body, None, 0, 0, ()),
            Position("g", "t", 0, offset + 1, 1, "c/t", f"{offset} 0 0"),
        )
        for offset, body in enumerate(bodies)
    ]


async def store(intake: Intake, *bodies: bytes) -> list[Receipt] | None:
    clock = ManualClock()
    stop = StopSignal(clock)

    async def commit() -> None: ...

    retry = StoreRetry("events", NoConsumer(), Assignment(commit), KafkaHooks(), stop)
    storing = BatchStoring(SETTINGS, intake, clock, retry, stop)
    batch = await storing.read(messages(*bodies), 0)
    return None if batch is None else await storing.store(batch, 0)


STEPS = ["prepare", "read_messages", "ingest"]
ERRORS = [ValueError("ours"), KeyError("ours"), RecursionError("ours"), OverflowError("ours")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("step", STEPS)
async def test_it_is_a_dead_letter_after_some_tries_and_the_others_are_stored(
    step: str, error: Exception
) -> None:
    intake = Intake(step, 99, error)
    with capture_logs() as logs:
        receipts = await store(intake, b"one", BAD, b"two")
    assert receipts is not None
    assert len(receipts) == 3
    assert [one.body for one in intake.stored] == [b"one", BAD, b"two"]
    assert [bool(one.dead) for one in intake.stored] == [False, True, False]
    (letter,) = intake.stored[1].dead
    assert letter.body == BAD
    assert letter.origin == "topic t, partition 0, offset 1"
    assert letter.reason == f"taking it failed 3 times: {type(error).__name__}: {error}"
    assert [one.position.offset for one in intake.stored if one.position] == [1, 2, 3]
    told = logs[-1]
    assert (told["topic"], told["partition"], told["offset"]) == ("t", 0, 1)
    assert told["log_level"] == "error"
    assert told["next"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_what_fails_a_few_times_only_is_stored_as_it_is(step: str, times: int) -> None:
    intake = Intake(step, times, ValueError("ours"))
    await store(intake, b"one", BAD, b"two")
    assert [(one.body, one.dead) for one in intake.stored] == [
        (b"one", ()),
        (BAD, ()),
        (b"two", ()),
    ]


@pytest.mark.parametrize("step", ["prepare", "ingest"])
async def test_a_store_that_is_away_is_waited_for_and_kills_no_message(step: str) -> None:
    intake = Intake(step, 9, StoreUnavailable())
    await store(intake, b"one", BAD)
    assert [one.dead for one in intake.stored] == [(), ()]


async def test_a_partition_that_is_lost_is_lost_and_no_message_is_dead() -> None:
    intake = Intake("ingest", 1, PartitionLost())
    with pytest.raises(PartitionLost):
        await store(intake, b"one", BAD)
    assert intake.stored == []


async def test_two_bad_messages_are_two_dead_letters() -> None:
    intake = Intake("ingest", 99, ValueError("ours"))
    await store(intake, BAD, b"one", BAD)
    assert [len(one.dead) for one in intake.stored] == [1, 0, 1]
