"""Imports history: batches into the store, at a pace that leaves live traffic alone.

How far it is, is stored with the statements, as the position of a partition is, so it
goes on where it ended whatever ended it; and of two imports of the same only the newer one goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import orjson

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import InputRefused, PartitionLost
from pointsman.domain.log_positions import UNREAD, Position
from pointsman.domain.records import DeadLetter, InputOutcome, Submission
from pointsman.sources.backfill.lrs_client import LrsClient
from pointsman.sources.backfill.statement_file import Line, StatementFile
from pointsman.sources.batch import LogMessage
from pointsman.sources.pipeline import Pipeline
from pointsman.statements import parse_json
from pointsman.store.base import Store

GROUP = SOURCE = "import"
#: lines that share a commit
_BATCH = 200
#: of the time that commits take, so much more is left to others
_OTHERS = 1.0
#: statements of one line or page that share a commit, whatever http.max_statements is
_MOST = 1_000
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
            await self._ingest_parts(page.body, source.name, position, at)
            count += page.count
            at = position
            yield count

    async def _claim(self, name: str) -> Position:
        (at,) = await self._store.claim(GROUP, [(name, 0)])
        return replace(at, offset=0) if at.offset == UNREAD else at

    async def _store_lines(self, lines: Sequence[Line], at: Position) -> int:
        await self._intake.prepare(line.body for line in lines)
        submissions: list[Submission] = []
        for line in lines:
            position = replace(at, offset=line.number)
            if line.too_long or len(_parts(line.body)) == 1:
                submissions.append(self._line(line, position))
                continue
            await self._ingest(submissions, len(submissions))
            submissions = []
            before = replace(at, offset=line.number - 1)
            await self._ingest_parts(line.body, _origin(line, at), position, before)
        await self._ingest(submissions, len(submissions))
        return lines[-1].reached

    async def _ingest_parts(
        self, body: bytes, origin: str, position: Position, before: Position
    ) -> None:
        """Statements that came together, some at a time; `position` is reached with the last."""
        parts = _parts(body)
        for number, part in enumerate(parts, 1):
            is_last = number == len(parts)
            where = origin if len(parts) == 1 else f"{origin}, part {number}"
            message = LogMessage(
                SOURCE, part, where, position if is_last else before, max_statements=_MOST
            )
            await self._ingest([self._intake.read_message(message)], part.count(b'"verb"'))

    def _line(self, line: Line, position: Position) -> Submission:
        origin = _origin(line, position)
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
        return self._intake.read_message(
            LogMessage(SOURCE, line.body, origin, position, max_statements=_MOST)
        )

    async def _ingest(self, submissions: Sequence[Submission], statements: int) -> None:
        if not submissions:
            return
        started = self._clock.monotonic()
        for receipt in await self._intake.ingest(submissions):
            if receipt.fenced:
                raise PartitionLost("another import of the same has begun; this one ends")
            self.done.outcomes.update(receipt.outcomes)
            self.done.duplicates += receipt.duplicates
        seconds = self._clock.monotonic() - started
        await self._clock.sleep(self._pace.pause(statements, seconds))


def _origin(line: Line, at: Position) -> str:
    return f"import {at.topic}, line {line.number}"


def _parts(body: bytes) -> list[bytes]:
    """The body, or arrays of at most `_MOST` statements where it is a longer one."""
    if not body.startswith(b"[") or body.count(b"{") <= _MOST:
        return [body]
    try:
        statements = parse_json(body, tolerant=True)
        if len(statements) <= _MOST:
            return [body]
        return [
            orjson.dumps(statements[first : first + _MOST])
            for first in range(0, len(statements), _MOST)
        ]
    except (InputRefused, orjson.JSONEncodeError):  # it is told where it is read
        return [body]
