"""Replaces NUL in what a store keeps as text: PostgreSQL refuses it, and SQLite's JSON ends there.

JSON has a way to write one, and so has an IRI that rules take apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pointsman.domain.evidence import Evidence
from pointsman.domain.records import Change, Item, Submission
from pointsman.domain.targets import ReadBackPlace, Recipient, Target

#: the only ways to write NUL in JSON, and in an IRI
_NUL, _NUL_OF_IRI = rb"\u0000", b"%00"


def clean(submissions: Sequence[Submission]) -> list[Submission]:
    """The same, with a replacement character for each NUL in what is told of a statement.

    Bodies stay as they came.
    """
    return [
        _cleaned(submission) if _may_have_nul(submission.body) else submission
        for submission in submissions
    ]


def _may_have_nul(body: bytes) -> bool:
    # one byte is found many times as fast as several, and most bodies have neither
    return (b"\\" in body and _NUL in body) or (b"%" in body and _NUL_OF_IRI in body)


def text(words: str) -> str:
    """With a replacement character for each NUL."""
    return words.replace("\0", "\ufffd") if "\0" in words else words


def _cleaned(submission: Submission) -> Submission:
    return replace(submission, items=tuple(_item(item) for item in submission.items))


def _item(item: Item) -> Item:
    decision = item.decision
    changes = tuple(_change(change) for change in decision.changes)
    return replace(
        item, decision=replace(decision, changes=changes, activity=text(decision.activity))
    )


def _change(change: Change) -> Change:
    return replace(
        change,
        recipient=Recipient(change.recipient.kind, text(change.recipient.id)),
        target=_target(change.target),
        after=tuple(_target(target) for target in change.after),
        read_back=None if change.read_back is None else _place(change.read_back),
        evidence=None if change.evidence is None else _evidence(change.evidence),
    )


def _evidence(link: Evidence) -> Evidence:
    return replace(
        link,
        key=text(link.key),
        items=frozenset(map(text, link.items)),
        then=None if link.then is None else _evidence(link.then),
    )


def _place(place: ReadBackPlace) -> ReadBackPlace:
    return ReadBackPlace(place.kind, text(place.key))


def _target(target: Target) -> Target:
    return Target(target.kind, text(target.key))
