"""Turns a request or a message into one typed batch; everything up to the store works on that.

No I/O. `BatchReader` parses and validates. What stamps ids or a registration makes another batch of
it, and parses nothing again.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from functools import cache
from typing import Any, Protocol

import orjson

from pointsman.domain.errors import InputRefused
from pointsman.domain.frozen import record
from pointsman.domain.launch import Launch
from pointsman.domain.log_positions import Position
from pointsman.domain.records import AttachedData
from pointsman.domain.statement_ids import StatementIds, former_ids
from pointsman.sources.envelopes import unwrapped
from pointsman.sources.left_over import LeftOver, left_overs
from pointsman.sources.message_ids import message_ids
from pointsman.statements import (
    JSON,
    Invalid,
    Limits,
    Parsed,
    StatementPackage,
    StatementsRefused,
    Tolerance,
    Valid,
    check_statements,
    check_values,
    guessed_type,
    media_type,
    parse,
    read_json,
    unpack,
    write_json,
)

#: the header of a message that has them, as a JSON object
FORMER_IDS = "pointsman-former-ids"


@record
class StatementBatch:
    """Statements that arrived together, from one source."""

    source: str
    #: the statements as JSON, and what that was parsed to: one statement, or an array of them
    body: bytes
    json: Any
    items: tuple[Valid, ...]
    #: those of a message that break a rule; a request with such is refused
    invalid: tuple[Invalid, ...] = ()
    #: all that arrived: more than `body` where attachments came along
    message: bytes = b""
    content_type: str = JSON
    #: the version of xAPI that it was sent in, for statements that don't say their own
    version: str = "1.0.0"
    #: the launch whose credential was shown; without, the source speaks for everybody
    launch: Launch | None = None
    attachments: tuple[AttachedData, ...] = ()
    #: what one message had beyond its source's limit
    left_over: tuple[LeftOver, ...] = ()
    #: the ids that an earlier version gave statements which were made here, by their ids
    former_ids: Mapping[str, str] = field(default_factory=dict)
    #: those that it was made of, one for each of `items`, where it is more than one message
    messages: tuple[LogMessage, ...] = ()
    #: whether a conflict refuses all of it; where nobody is there to be told, the statement whose
    #: id is taken becomes a dead letter, and the rest is applied
    all_or_nothing: bool = True

    @property
    def statements(self) -> list[dict[str, Any]]:
        """As they came, in the order of `items`. Only for a batch without invalid ones."""
        return self.json if isinstance(self.json, list) else [self.json]

    def rewritten(
        self, statements: Sequence[dict[str, Any]], items: Sequence[Valid] | None = None
    ) -> StatementBatch:
        """With these in place of its statements; `items` where what they say has changed."""
        json = list(statements) if isinstance(self.json, list) else statements[0]
        body = write_json(json)
        return replace(
            self,
            body=body,
            json=json,
            message=self.message.replace(self.body, body, 1),
            items=self.items if items is None else tuple(items),
        )


@record
class LogMessage:
    """One message of a log or queue: a Kafka record, a line of a file, a page of another store.

    Without a `content_type` the body tells, and attachments need not be there: they may have
    travelled another way.
    """

    source: str
    body: bytes
    #: where it came from, for a person
    origin: str
    #: how far its log is read once it is stored; None where a queue keeps count itself
    position: Position | None
    content_type: str | None = None
    version: str = "1.0.0"
    #: taken at most, where the source has a limit of its own; the rest is kept as `Batch.left_over`
    max_statements: int | None = None
    former_ids: Mapping[str, str] = field(default_factory=dict)
    trace_headers: Mapping[str, str] = field(default_factory=dict)


@record
class Accepted:
    """The ids of a batch's statements; `already_stored` when all of them were here before."""

    ids: list[str]
    already_stored: bool = False


class StatementIntake(Protocol):
    """The pipeline, or what takes its place for HTTP."""

    async def accept(self, batch: StatementBatch) -> Accepted: ...

    async def keep_dead_letter(
        self, source: str, body: bytes, reason: str, origin: str
    ) -> None: ...


class BatchReader:
    """Makes batches of what arrives, within `limits`; `launched` are those of launched players.

    `ids` are those of what is made here.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        ids: StatementIds | None = None,
        launched: Limits | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._launched = launched or self._limits
        #: of messages, by the limit of their source: there are few sources
        self._limits_by_source = cache(self._with_most_statements)
        self.ids = ids or StatementIds(secrets.token_bytes())

    def _with_most_statements(self, most: int | None) -> Limits:
        if most is None:
            return self._limits
        return self._limits.model_copy(update={"max_statements": most})

    def request(
        self,
        source: str,
        body: bytes,
        *,
        content_type: str = JSON,
        version: str = "1.0.0",
        put_id: str | None = None,
        launch: Launch | None = None,
        tolerance: Tolerance = Tolerance.NONE,
    ) -> StatementBatch:
        """A request; `put_id` is the `statementId` of a PUT.

        Raises `StatementsRefused` when any statement is invalid, and `InputRefused` when the body
        can't be read.
        """
        package = _unpacked(body, content_type, tolerant=tolerance is not Tolerance.NONE)
        parsed = parse(
            package.statements,
            self._limits if launch is None else self._launched,
            new_id=_new_id if put_id is None else lambda: put_id,
            data=package.data,
            tolerance=tolerance,
        )
        if put_id is not None:
            _check_put(parsed, put_id)
        return StatementBatch(
            source,
            parsed.body,
            parsed.json,
            _all_valid(parsed),
            message=body
            if parsed.body is package.statements
            else body.replace(package.statements, parsed.body, 1),
            content_type=content_type,
            version=version,
            launch=launch,
            attachments=tuple(package.data.values()),
        )

    def statements(
        self,
        source: str,
        statements: dict[str, Any] | list[dict[str, Any]],
        *,
        launch: Launch | None = None,
        all_or_nothing: bool = True,
    ) -> StatementBatch:
        """Statements that were made here, so that there is nothing to parse.

        Raises `StatementsRefused` and `InputRefused`.
        """
        body = orjson.dumps(statements)
        parsed = check_statements(statements, body, self._limits, new_id=_new_id, data={})
        return StatementBatch(
            source,
            body,
            statements,
            _all_valid(parsed),
            message=body,
            launch=launch,
            former_ids=former_ids(statements if isinstance(statements, list) else [statements]),
            all_or_nothing=all_or_nothing,
        )

    def message(self, message: LogMessage) -> StatementBatch:
        """A message of a log; what is invalid in it is set apart. Raises `InputRefused`.

        A statement without an id gets one made of the message's place and content, so that a
        message that is read twice is applied once. Of more statements than the message's own limit
        allows, those up to it are taken, and the rest is left over.
        """
        whole = unwrapped(message.body)
        content_type = message.content_type or guessed_type(whole)
        package = _unpacked(whole, content_type, tolerant=True)
        data = package.data if message.content_type or package.data else None
        most = message.max_statements
        limits = self._limits_by_source(most)
        check_values(package.statements, limits)
        json, body = read_json(package.statements, tolerant=True)
        if body is not package.statements:
            whole = whole.replace(package.statements, body, 1)
        left_over: tuple[LeftOver, ...] = ()
        # attachments go with all of the statements, and can't be told apart
        if most is not None and isinstance(json, list) and len(json) > most and not package.data:
            left_over = tuple(left_overs(json, most, self._limits.max_statements))
            json = json[:most]
            body = whole = write_json(json)
        made: dict[str, str] = dict(message.former_ids)
        new_id = message_ids(self.ids, message.origin, message.body, made)
        parsed = check_statements(
            json, body, limits, new_id=new_id, data=data, tolerance=Tolerance.TIDIES_DATED
        )
        valid = tuple([item for item in parsed.items if isinstance(item, Valid)])
        invalid: tuple[Invalid, ...] = ()
        if len(valid) < len(parsed.items):
            invalid = tuple([item for item in parsed.items if isinstance(item, Invalid)])
        return StatementBatch(
            message.source,
            parsed.body,
            parsed.json,
            valid,
            invalid,
            message=whole if parsed.body is body else whole.replace(body, parsed.body, 1),
            content_type=content_type,
            version=message.version,
            attachments=tuple(package.data.values()),
            left_over=left_over,
            former_ids=made,
            all_or_nothing=False,
        )


def _unpacked(body: bytes, content_type: str, *, tolerant: bool) -> StatementPackage:
    if content_type == JSON or media_type(content_type) == JSON:
        return StatementPackage(body)
    return unpack(body, content_type, tolerant=tolerant)


def _new_id() -> str:
    return str(uuid.uuid4())


def _all_valid(parsed: Parsed) -> tuple[Valid, ...]:
    valid = tuple([item for item in parsed.items if isinstance(item, Valid)])
    if len(valid) < len(parsed.items):
        invalid = (item for item in parsed.items if isinstance(item, Invalid))
        raise StatementsRefused([problem for item in invalid for problem in item.problems])
    return valid


def _check_put(parsed: Parsed, put_id: str) -> None:
    if parsed.is_array:
        raise InputRefused("PUT takes one statement, not an array (xAPI Part 3 section 2.1.1)")
    (item,) = parsed.items
    if isinstance(item, Valid) and item.statement_id != put_id:
        raise InputRefused(
            f"the body's id {item.statement_id} is not the statementId {put_id} of the request"
        )
