"""Makes dead letters of messages, or items of them, that can't be understood. Pure."""

from __future__ import annotations

import orjson

from pointsman.domain.records import DeadLetter, Submission
from pointsman.sources.batch import LogMessage, StatementBatch
from pointsman.statements import Invalid


def letter_of_message(message: LogMessage, reason: str, received_at: int) -> Submission:
    """A message of which nothing can be understood; `received_at` in microseconds."""
    letter = DeadLetter(reason, message.origin, message.body)
    return Submission(
        message.source,
        message.body,
        received_at,
        (),
        (letter,),
        message.position,
        all_or_nothing=False,
    )


def letters_of_message(batch: StatementBatch, origin: str) -> tuple[DeadLetter, ...]:
    """One for each item that is invalid, and for what is beyond the source's limit."""
    if not batch.invalid and not batch.left_over:
        return ()
    return (
        *(letter_of_item(item, origin, batch) for item in batch.invalid),
        *(
            DeadLetter(part.reason, f"{origin}, items {part.first}-{part.last}", part.body)
            for part in batch.left_over
        ),
    )


def letter_of_item(item: Invalid, origin: str, batch: StatementBatch) -> DeadLetter:
    """What is invalid in a message, by itself."""
    where = origin if item.index is None else f"{origin}, item {item.index}"
    reason = "; ".join(str(problem) for problem in item.problems)
    return DeadLetter(reason, where, _by_itself(item, batch), item.statement_id)


def _by_itself(item: Invalid, batch: StatementBatch) -> bytes:
    """An item alone; the whole message where it can't be told apart.

    That is where it has attachments, which go with what may be read again, and where it is nested
    deeper than JSON is written here.
    """
    if item.index is None or batch.message != batch.body:
        return batch.message
    try:
        return orjson.dumps(batch.json[item.index])
    except orjson.JSONEncodeError:
        return batch.message
