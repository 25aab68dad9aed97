"""Imports history: batches into the store, at a pace that leaves live traffic alone.

How far it is, is stored with the statements, as the position of a partition is, so it
goes on where it ended whatever ended it; and of two imports of the same only the newer one goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import PartitionLost
from pointsman.domain.log_positions import UNREAD, Position
from pointsman.domain.records import DeadLetter, InputOutcome, Submission
from pointsman.sources.backfill.lrs_client import LrsClient
from pointsman.sources.backfill.statement_file import Line, StatementFile
from pointsman.sources.batch import LogMessage
from pointsman.sources.pipeline import Pipeline
from pointsman.store.base import Store

GROUP = SOURCE = "import"
#: lines that share a commit
_BATCH = 200
#: of the time that commits take, so much more is left to others
_OTHERS = 1.0
#: a dead letter of what was too long holds its beginning
_KEPT = 4_096


@dataclass(slots=True)
class BackfillProgress:
    """What became of all of it so far."""

    outcomes: Counter[InputOutcome] = field(default_factory=Counter)
    duplicates: int = 0
    #: read in an earlier run
    known: int = 0


@dataclass(frozen=True, slots=True)
class LoadRate:
    """So many statements a second; None leaves as much time to others as the commits take."""

    rate: float | None = None

    def pause(self, statements: int, seconds: float) -> float:
        """Seconds to wait after a batch that took so long."""
        if self.rate is None:
            return seconds * _OTHERS
        return max(0.0, statements / self.rate - seconds)


class BackfillLoader:
    """Use `files` or `lrs`; each yields what was reached, after its commit."""

    def __init__(self, store: Store, intake: Pipeline, clock: Clock, pace: LoadRate) -> None:
        self._store = store
        self._intake = intake
        self._clock = clock
        self._pace = pace
        self.done = BackfillProgress()

    async def file(self, source: StatementFile) -> AsyncIterator[int]:
        """Yields bytes of the file that are read."""
        at = await self._claim(source.name)
        self.done.known = at.offset
        batch: list[Line] = []
        for line in source.lines(at.offset):
            batch.append(line)
            if len(batch) == _BATCH:
                yield await self._store_lines(batch, at)
                batch = []
        if batch:
            yield await self._store_lines(batch, at)

    async def lrs(self, source: LrsClient) -> AsyncIterator[int]:
        """Yields statements that are read."""
        at = await self._claim(source.name)
        count = 0
        async for page in source.pages(at.offset):
            position = replace(at, offset=max(page.reached, at.offset))
            await self._intake.prepare([page.body])
            submission = self._intake.read_message(
                LogMessage(SOURCE, page.body, source.name, position)
            )
            await self._ingest([submission], page.count)
            count += page.count
            yield count

    async def _claim(self, name: str) -> Position:
        (at,) = await self._store.claim(GROUP, [(name, 0)])
        return replace(at, offset=0) if at.offset == UNREAD else at

    async def _store_lines(self, lines: Sequence[Line], at: Position) -> int:
        await self._intake.prepare(line.body for line in lines)
        submissions = [self._line(line, replace(at, offset=line.number)) for line in lines]
        await self._ingest(submissions, len(lines))
        return lines[-1].reached

    def _line(self, line: Line, position: Position) -> Submission:
        origin = f"import {position.topic}, line {line.number}"
        if line.too_long:
            letter = DeadLetter(
                "the line is longer than http.max_body_bytes; here is its beginning",
                origin,
                line.body[:_KEPT],
            )
            now = micros(self._clock.now())
            return Submission(
                SOURCE, letter.body, now, (), (letter,), position, all_or_nothing=False
            )
        return self._intake.read_message(LogMessage(SOURCE, line.body, origin, position))

    async def _ingest(self, submissions: Sequence[Submission], statements: int) -> None:
        started = self._clock.monotonic()
        for receipt in await self._intake.ingest(submissions):
            if receipt.fenced:
                raise PartitionLost("another import of the same has begun; this one ends")
            self.done.outcomes.update(receipt.outcomes)
            self.done.duplicates += receipt.duplicates
        seconds = self._clock.monotonic() - started
        await self._clock.sleep(self._pace.pause(statements, seconds))
