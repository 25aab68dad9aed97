"""Finds messages of a log that can share a submission: plain statements of a partition. Pure.

Most messages are one statement. What is done for each submission is then done once for many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pointsman.domain.errors import InputRefused
from pointsman.domain.log_positions import Position
from pointsman.domain.records import AttachedData
from pointsman.sources.batch import LogMessage, StatementBatch
from pointsman.statements import JSON, Limits, Valid, media_type, parse


def runs(messages: Iterable[LogMessage], limits: Limits) -> Iterator[LogMessage | StatementBatch]:
    """The messages in their order: what goes together as a batch, what does not by itself."""
    run: list[tuple[LogMessage, Valid]] = []
    for message in messages:
        statement = _plain_statement(message, limits)
        if run and (statement is None or not _go_together(run[-1][0], message)):
            yield _batch(run)
            run = []
        if statement is None:
            yield message
        else:
            run.append((message, statement))
    if run:
        yield _batch(run)


def _plain_statement(message: LogMessage, limits: Limits) -> Valid | None:
    """The statement of a message that is nothing but a valid one, which brings its id.

    None for any other message.
    """
    if message.body[:1] != b"{" or message.former_ids:
        return None
    data: dict[str, AttachedData] | None = None
    if message.content_type is not None:
        if media_type(message.content_type) != JSON:
            return None
        data = {}
    try:
        parsed = parse(message.body, limits, new_id=str, data=data)
    except InputRefused:
        return None
    (item,) = parsed.items
    return item if isinstance(item, Valid) and item.statement_id else None


def _go_together(first: LogMessage, second: LogMessage) -> bool:
    """Whether one submission can have both: it has one position, of one partition."""
    return (
        first.position is not None
        and second.position is not None
        and _partition(first.position) == _partition(second.position)
        and first.source == second.source
        and first.version == second.version
    )


def _partition(at: Position) -> tuple[object, ...]:
    return at.group, at.topic, at.partition, at.token, at.log_id


def _batch(run: list[tuple[LogMessage, Valid]]) -> StatementBatch:
    messages = tuple([message for message, _ in run])
    last = messages[-1]
    body = b"".join([message.body for message in messages])
    return StatementBatch(
        last.source,
        body,
        None,
        tuple([statement for _, statement in run]),
        message=body,
        content_type=JSON,
        version=last.version,
        messages=messages,
        all_or_nothing=False,
    )
