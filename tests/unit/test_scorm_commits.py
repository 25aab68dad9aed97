"""Commits on their way to the intake, where the intake is a topic, or knows them already."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

import orjson
import pytest

from pointsman.domain.clock import MICROSECONDS
from pointsman.domain.errors import InputRefused
from pointsman.domain.launch import Launch
from pointsman.sources.batch import Accepted, BatchReader, StatementBatch
from pointsman.sources.kafka_forwarder import KafkaForwarder
from pointsman.sources.players.scorm.commits import CommitHandler, dead_commit_statement
from pointsman.store.base import Document, DocumentKey
from tests.support.scorm_bodies import LAUNCH
from tests.support.statement_ids import IDS

T = TypeVar("T")
BODY = b'{"cmi": {"core": {"lesson_status": "completed"}}, "commitSequence": 1}'


class Clock:
    """Goes a minute further whenever it is asked."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        self.at += 60
        return self.at

    def monotonic(self) -> float:
        return self.now()

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class Shelf:
    """Documents in memory, and what was dead_letters."""

    def __init__(self) -> None:
        self.kept: dict[DocumentKey, Document] = {}
        self.dead_letters: list[str] = []

    async def document(self, key: DocumentKey) -> Document | None:
        return self.kept.get(key)

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T:
        new, result = decide(self.kept.get(key))
        if new is not None:
            self.kept[key] = new
        return result

    async def keep_dead_letter(self, source: str, body: bytes, reason: str, origin: str) -> None:
        self.dead_letters.append(reason)


async def test_over_a_topic_a_commit_is_the_same_message_whenever_it_comes() -> None:
    shelf, clock, written = Shelf(), Clock(), []

    async def write(body: bytes, _headers: list[tuple[str, bytes]]) -> None:
        written.append(orjson.loads(body))

    forwarding = KafkaForwarder(write, clock, shelf.keep_dead_letter)
    commits = CommitHandler("launch", shelf, BatchReader(), forwarding, clock)
    await commits.accept(LAUNCH, BODY, player="", final=False)
    await commits.accept(LAUNCH, BODY, player="", final=False)
    first, again = written
    assert first == again
    assert first["context"]["registration"] == LAUNCH.registration
    session = await commits.session(LAUNCH)
    assert [one.at for one in session.seen] == [60 * MICROSECONDS]


async def test_a_commit_whose_id_is_taken_is_to_become_a_dead_letter() -> None:
    class Noting(Shelf):
        batches: ClassVar[list[StatementBatch]] = []

        async def accept(self, batch: StatementBatch) -> Accepted:
            self.batches.append(batch)
            return Accepted([])

    noting = Noting()
    commits = CommitHandler("launch", noting, BatchReader(), noting, Clock())
    await commits.accept(LAUNCH, BODY, player="", final=False)
    assert [batch.all_or_nothing for batch in noting.batches] == [False]


async def test_a_dead_commit_is_dead_commit_statement_only_while_its_launch_is_known() -> None:
    async def gone(_registration: str) -> Launch | None:
        return None

    async def known(registration: str) -> Launch | None:
        return LAUNCH if registration == LAUNCH.registration else None

    origin = f"SCORM commit of registration {LAUNCH.registration}, the last"
    said = await dead_commit_statement(origin, b'{"cmi": {}}', MICROSECONDS, known, IDS)
    assert said["verb"]["id"].endswith("/terminated")
    assert said["timestamp"] == "1970-01-01T00:00:01.000000+00:00"
    for where, find in ((origin, gone), ("topic lessons", known)):
        with pytest.raises(InputRefused, match="not known any longer"):
            await dead_commit_statement(where, BODY, 1, find, IDS)
