"""A submission of which the store can't hold every statement, taken apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pointsman.domain.records import DeadLetter, InputOutcome, Receipt, Submission
from pointsman.store.statement_conflicts import letter_about
from pointsman.store.strip_nul import text


def parts(submission: Submission) -> Iterator[Submission]:
    """Each statement of it alone, without the position: that is stored with the last of them.

    `all_or_nothing` keeps a part that fails from being taken apart again.
    """
    for item in submission.items:
        body = submission.body if item.body is None else item.body
        yield replace(
            submission, body=body, items=(item,), dead=(), position=None, all_or_nothing=True
        )


def bury(submission: Submission, part: Submission, reason: str) -> DeadLetter:
    """The dead letter of a part that can't be stored, in characters that can."""
    (item,) = part.items
    storable = text(reason).encode("ascii", "backslashreplace").decode("ascii")
    return letter_about(submission, item, storable)


def add_receipts(receipts: Sequence[Receipt]) -> Receipt:
    """What became of the parts together."""
    outcomes: Counter[InputOutcome] = Counter()
    for receipt in receipts:
        outcomes.update(receipt.outcomes)
    return Receipt(
        dict(outcomes),
        sum(receipt.duplicates for receipt in receipts),
        tuple(name for receipt in receipts for name in receipt.conflicts),
        fenced=any(receipt.fenced for receipt in receipts),
    )
