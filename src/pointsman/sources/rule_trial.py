"""Puts statements through the rules, and through other rules to compare; nothing is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import ConfigError, InputRefused
from pointsman.domain.log_positions import Position
from pointsman.domain.records import InputOutcome
from pointsman.domain.statement_reading import StatementReading
from pointsman.domain.targets import Recipient, Target, Value
from pointsman.sources.backfill import StatementFile
from pointsman.sources.batch import LogMessage
from pointsman.sources.pipeline import Pipeline
from pointsman.store.base import Search, Store

_SOURCE = "rules test"
_NOWHERE = Position("", "", 0, 0)
#: statements read from the store in one go
_PAGE = 100


@dataclass(frozen=True, slots=True)
class WantedValue:
    """One change that a rule asks for; `is_part` where it only counts together with others."""

    recipient: Recipient
    target: Target
    value: Value
    is_part: bool


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one set of rules makes of one statement."""

    outcome: InputOutcome
    rule: str = ""
    reason: str = ""
    wanted: tuple[WantedValue, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """One statement, what the rules make of it, and what other rules do; None without such."""

    #: its line in the file, or its id
    place: str
    statement_id: str
    verb: str
    activity: str
    result: RuleResult
    other: RuleResult | None = None

    @property
    def differs(self) -> bool:
        """Whether the other rules would deliver something else."""
        if self.other is None:
            return False
        return (self.result.outcome, self.result.wanted) != (self.other.outcome, self.other.wanted)


async def try_file(
    path: Path, rules: Pipeline, other: Pipeline | None, clock: Clock, *, max_bytes: int
) -> AsyncIterator[RuleTrial]:
    """The statements of a file: one JSON text, or a statement or an array of them in each line.

    Raises `ConfigError` for a file that can't be read.
    """
    for place, body in _bodies(path, max_bytes):
        for pipeline in filter(None, (rules, other)):
            await pipeline.prepare([body])
        for trial in _try_body(place, body, rules, other, micros(clock.now())):
            yield trial


async def try_stored(
    store: Store, rules: Pipeline, other: Pipeline | None, *, count: int
) -> AsyncIterator[RuleTrial]:
    """The newest statements of a store, the newest first. Raises `StoreUnavailable`."""
    search = Search()
    while count > 0:
        page = await store.search(search, limit=min(count, _PAGE))
        for pipeline in filter(None, (rules, other)):
            await pipeline.prepare(stored.body for _, stored in page.found)
        for _, stored in page.found:
            reading = rules.reading(stored)
            yield _trial(
                stored.statement_id,
                stored.statement_id,
                reading,
                None if other is None else other.reading(stored),
                compared=other is not None,
            )
        count -= len(page.found)
        if page.after is None:
            return
        search = Search(after=page.after)


def _bodies(path: Path, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    """(place, JSON text)."""
    file = StatementFile(path, max_bytes)
    whole = file.one_text()
    if whole is not None:
        yield "line 1", whole
        return
    for line in file.lines(0):
        if line.too_long:
            raise ConfigError(f"{path}, line {line.number} is longer than {max_bytes} bytes")
        yield f"line {line.number}", line.body


def _try_body(
    place: str, body: bytes, rules: Pipeline, other: Pipeline | None, now: int
) -> Iterator[RuleTrial]:
    try:
        batch = rules.reader.message(LogMessage(_SOURCE, body, place, _NOWHERE))
    except InputRefused as error:
        yield _dead(place, "", str(error), compared=other is not None)
        return
    for invalid in batch.invalid:
        reason = "; ".join(str(problem) for problem in invalid.problems)
        yield _dead(place, invalid.statement_id or "", reason, compared=other is not None)
    for valid in batch.items:
        reading = rules.reading_of(valid, now)
        others = None if other is None else other.reading_of(valid, now)
        yield _trial(place, valid.statement_id, reading, others, compared=other is not None)


def _dead(place: str, statement_id: str, reason: str, *, compared: bool) -> RuleTrial:
    result = RuleResult(InputOutcome.DEAD, reason=reason)
    return RuleTrial(place, statement_id, "", "", result, result if compared else None)


def _trial(
    place: str,
    statement_id: str,
    reading: StatementReading | None,
    other: StatementReading | None,
    *,
    compared: bool,
) -> RuleTrial:
    return RuleTrial(
        place,
        statement_id,
        "" if reading is None else reading.verb,
        "" if reading is None else reading.activity,
        _result(reading),
        _result(other) if compared else None,
    )


def _result(reading: StatementReading | None) -> RuleResult:
    if reading is None:
        return RuleResult(InputOutcome.DEAD, reason="it is valid no longer")
    decision = reading.decision
    wanted: Sequence[WantedValue] = [
        WantedValue(change.recipient, change.target, change.value, change.evidence is not None)
        for change in decision.changes
    ]
    return RuleResult(decision.outcome, decision.rule, decision.reason, tuple(wanted))
