"""Decides whether a document still fits in what a registration and a learner may keep. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pointsman.store.document_records import Document, DocumentKey


@dataclass(frozen=True, slots=True)
class DocumentAmounts:
    """Documents and bytes, of one registration and of its learner with all registrations.

    What players may keep, or what they keep. A document without registration counts with the
    learner's others of none. Bytes are those of the content and of the names.
    """

    registration_documents: int
    registration_bytes: int
    learner_documents: int
    learner_bytes: int


@dataclass(frozen=True, slots=True)
class OverQuota:
    """Which of the amounts would be more than is allowed, and what is allowed."""

    amount: str
    allowed: int


def grows(key: DocumentKey, old: Document | None, new: Document | None) -> bool:
    """Whether `new` in place of `old` needs more room, so that the quota has to be asked."""
    return _size(key, new) > _size(key, old) or (old is None and new is not None)


def over_quota(
    quota: DocumentAmounts,
    used: DocumentAmounts,
    key: DocumentKey,
    old: Document | None,
    new: Document | None,
) -> OverQuota | None:
    """Whether `new` in place of `old` is too much. `used` is with `old`.

    What makes nothing larger always fits, so that a learner who has too much can tidy up.
    """
    documents = (new is not None) - (old is not None)
    grown = _size(key, new) - _size(key, old)
    for amount, more in (
        ("registration_documents", documents),
        ("registration_bytes", grown),
        ("learner_documents", documents),
        ("learner_bytes", grown),
    ):
        allowed = getattr(quota, amount)
        if more > 0 and getattr(used, amount) + more > allowed:
            return OverQuota(amount, allowed)
    return None


def _size(key: DocumentKey, document: Document | None) -> int:
    """As the stores' query `document_amounts` counts it."""
    if document is None:
        return 0
    return len(document.content) + sum(
        len(text.encode("utf-8", "surrogatepass"))
        for text in (key.activity, key.name, document.content_type)
    )
