"""Chooses the statement that an exemplar names, so that a point in a graph leads to a statement."""

from __future__ import annotations

from pointsman.domain.records import Receipt, Submission

#: a label and its value, at most 128 characters together (OpenMetrics 1.0, "Exemplars")
_LONGEST = 128 - len("statement_id")


def of_statement(statement_id: str | None) -> dict[str, str] | None:
    if not statement_id or len(statement_id) > _LONGEST:
        return None
    return {"statement_id": statement_id}


def of_receipt(submission: Submission, receipt: Receipt) -> dict[str, str] | None:
    """A statement of a submission of which only one thing became; else nobody knows which."""
    if len(receipt.outcomes) != 1 or receipt.duplicates or receipt.conflicts:
        return None
    if submission.items:
        return of_statement(submission.items[0].statement_id)
    return of_statement(next((letter.statement_id for letter in submission.dead), None))
