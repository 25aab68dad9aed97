"""Translates any system's JSON into statements, by paths from the configuration."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import orjson

from pointsman.domain.errors import InputRefused
from pointsman.domain.records import LeftOut, Reading
from pointsman.domain.statement_ids import StatementIds
from pointsman.statements.adapters.json_paths import Path, PathTemplate, as_text, required_text
from pointsman.statements.adapters.json_values import (
    boolean,
    derived_uuid,
    in_message,
    is_uuid,
    number_within,
    timestamp,
)
from pointsman.statements.adapters.report import ActivityReport, report_statement
from pointsman.statements.json_body import parse_json
from pointsman.statements.left_out_readings import take

T = TypeVar("T")

#: names the attempts that a sender calls by other names than UUIDs
_NAMESPACE = uuid.UUID("c2b1f6d3-58a7-5f2e-9a39-51d0a8e7f4c6")


@dataclass(frozen=True, slots=True)
class Webhook:
    """What a source says of its bodies: where things stand, and on which scale."""

    source: str
    ids: StatementIds
    learner: Path
    activity: Path | PathTemplate
    #: of the account that a learner is who is no e-mail address
    home_page: str
    progress: Path | None = None
    progress_scale: Literal[1, 100] = 100
    completed: Path | None = None
    completed_values: tuple[str, ...] = ()
    passed: Path | None = None
    passed_values: tuple[str, ...] = ()
    score: Path | None = None
    score_scale: Literal[1, 100] = 100
    time: Path | None = None
    registration: Path | None = None
    #: what is the same when the same is said again
    id: Path | None = None
    #: a list, each element of which is a report of its own
    items: Path | None = None
    #: what kind of event it is, and those that are reports
    event: Path | None = None
    event_values: tuple[str, ...] = ()

    def statements(self, body: bytes, message_id: str | None = None) -> list[dict[str, Any]]:
        """One for each report in `body`; none for an event of another kind.

        `message_id` is the sender's name for the message.

        Raises `InputRefused`, which names the path that has nothing or something else, where nobody
        can tell who or what it is about. Any other value that makes no sense is left out.
        """
        whole = parse_json(body, tolerant=True)
        message = message_id or hashlib.sha256(body).hexdigest()
        if self.items is None:
            return [self._statement(whole, whole, message, None)] if self._is_report(whole) else []
        items = self.items.find(whole, whole)
        if not isinstance(items, list):
            raise InputRefused(f"the body has no list at {self.items}")
        statements: dict[bytes, dict[str, Any]] = {}
        for place, item in enumerate(items):
            if not self._is_report(item, whole):
                continue
            try:
                statement = self._statement(item, whole, message, place)
            except InputRefused as error:
                raise InputRefused(f"{self.items}[{place}]: {error}") from None
            statements[orjson.dumps(statement)] = statement  # the same twice is said once
        return list(statements.values())

    def _is_report(self, item: Any, whole: Any = None) -> bool:
        if self.event is None:
            return True
        kind = as_text(self.event.find(item, item if whole is None else whole))
        return kind is not None and kind.lower() in {word.lower() for word in self.event_values}

    def _statement(self, item: Any, whole: Any, message: str, place: int | None) -> dict[str, Any]:
        left_out: list[LeftOut] = []

        def read(
            reading: Reading, path: Path | None, convert: Callable[[Any], T | None]
        ) -> T | None:
            if path is None:
                return None
            value = path.find(item, whole)
            return take(left_out, reading, str(path), lambda: convert(value))

        if isinstance(self.activity, PathTemplate):
            activity = self.activity.expand(item, whole)
        else:
            activity = required_text(self.activity, item, whole)
        report = ActivityReport(
            learner=required_text(self.learner, item, whole),
            home_page=self.home_page,
            activity=activity,
            progress=read(Reading.PROGRESS, self.progress, self._percentage),
            completed=read(
                Reading.COMPLETION,
                self.completed,
                lambda value: boolean(value, self.completed_values),
            ),
            passed=read(
                Reading.SUCCESS, self.passed, lambda value: boolean(value, self.passed_values)
            ),
            score=read(Reading.SCORE, self.score, self._score),
            registration=read(Reading.ATTEMPT, self.registration, self._attempt),
            timestamp=read(Reading.TIMESTAMP, self.time, timestamp),
        )
        report = replace(report, left_out=tuple(left_out))
        return report_statement(
            report, self.ids, self.source, *self._name(item, whole, message, place)
        )

    def _name(
        self, item: Any, whole: Any, message: str, place: int | None
    ) -> tuple[str | int | None, ...]:
        """What the statement's id is made of."""
        if self.id is None:
            return message, place
        name = required_text(self.id, item, whole)
        # an item's own id names it wherever it stands
        return (name, place) if self.id.from_whole else (name,)

    def _percentage(self, value: Any) -> float | None:
        percentage = number_within(value, 0, self.progress_scale)
        return percentage if percentage is None else percentage * (100 // self.progress_scale)

    def _score(self, value: Any) -> float | None:
        score = number_within(value, -self.score_scale, self.score_scale)
        return score if score is None else round(score / self.score_scale, 12)

    def _attempt(self, value: Any) -> str | None:
        if value in (None, ""):
            return None
        text = as_text(value)
        if text is None:
            raise ValueError(f"must be text or a number, not {in_message(value)}")
        return text.lower() if is_uuid(text) else derived_uuid(_NAMESPACE, self.source, text)
