"""Merges evidence: what several statements say together, in whatever order they come. Pure.

What is gathered for a key only grows, and uniting is commutative, associative and idempotent; so
repeats, replicas and crashes do no harm, and a share never falls. A length and a threshold are what
players say, and the smallest of each counts: a share is then the same in whatever order they came.
How many items are all is what the rule says now.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from hashlib import blake2b
from itertools import pairwise

import orjson

from pointsman.domain.evidence import Evidence, Span
from pointsman.domain.frozen import record
from pointsman.domain.iri import comparable
from pointsman.domain.records import Change, Falls
from pointsman.domain.target_kinds import TARGET_KINDS

#: items kept for one key: of more, those that sort first, so that the order has no say here either
MAX_ITEMS = 5_000
#: an item that is longer is kept as its hash, in characters
MAX_ITEM_LENGTH = 200
#: spans kept for one key; of more, the nearest are joined, although nobody played what is between
MAX_SPANS = 1_000
#: seconds between two spans that nobody missed, or between a span and the beginning or end
GAP = 0.5

_COMPLETE = 100
#: what adding up fractions may be wrong by
_TINY = 1e-9


@record
class Gathered:
    """All that is known for one key. `length` (seconds) and `threshold` are infinite if unsaid."""

    items: frozenset[str] = frozenset()
    spans: tuple[Span, ...] = ()
    length: float = math.inf
    threshold: float = math.inf
    #: when the newest of it occurred, kept where attempts are told apart by that
    at: int = 0


NOTHING = Gathered()


def gathered(evidence: Evidence, at: int = 0) -> Gathered:
    """What one statement's evidence amounts to by itself."""
    items = _bounded(map(_short, evidence.items))
    if evidence.spans is None:
        return Gathered(items, at=at)
    spans = [_within(evidence.whole, *span) for span in evidence.spans if span[0] < span[1]]
    joined = _joined(span for span in spans if span[0] < span[1])
    return Gathered(items, joined, evidence.whole, evidence.threshold, at)


def merge_evidence(left: Gathered, right: Gathered) -> Gathered:
    """Everything that either knows."""
    return Gathered(
        _bounded((*left.items, *right.items)),
        _joined((*left.spans, *right.spans)),
        min(left.length, right.length),
        min(left.threshold, right.threshold),
        max(left.at, right.at),
    )


def links(change: Change) -> Iterator[Evidence]:
    """The evidence of a change, and what is gathered next once that is complete."""
    link = change.evidence
    while link is not None:
        yield link
        link = link.then


def add(known: Gathered, link: Evidence, change: Change) -> Gathered:
    """All that is known once `change` has come; the very `known` when that is nothing new."""
    at = change.occurred_at if change.falls is Falls.NEW_ATTEMPT else 0
    united = merge_evidence(known, gathered(link, at))
    return known if united == known else united


def share(known: Gathered, evidence: Evidence) -> float:
    """How much of the whole that `evidence` speaks of is there, 0 to 1."""
    if evidence.spans is None:
        return min(1.0, _distinct(known.items) / evidence.whole)
    played = round(sum(end - start for start, end in known.spans), 3)
    return min(1.0, played / min(known.length, evidence.whole))


def _distinct(items: frozenset[str]) -> int:
    """How many items there are; an activity that came in two spellings is one of them."""
    if not any("%" in item for item in items):
        return len(items)
    return len(set(map(comparable, items)))


def is_complete(known: Gathered, evidence: Evidence) -> bool:
    part = share(known, evidence)
    return part > 0 and part >= min(known.threshold, evidence.threshold) - _TINY


def valued(change: Change, find: Callable[[str], Gathered]) -> Change | None:
    """`change` with the value that all evidence gives it; None where that is none yet.

    `find` knows what is gathered for a key.
    """
    is_percentage = TARGET_KINDS[change.target.kind].is_percentage
    partial: int | None = None
    at = change.occurred_at
    for link in links(change):
        known = find(link.key)
        at = max(at, known.at)
        part = share(known, link)
        if link.partial and part > 0:
            partial = max(partial or 0, min(_COMPLETE - 1, _percentage(part)))
        if not is_complete(known, link):
            if not is_percentage or partial is None:
                return None
            return replace(change, value=partial, occurred_at=at)
    if change.evidence is None or not is_percentage:
        return replace(change, occurred_at=at)
    return replace(change, value=_COMPLETE, occurred_at=at)


def _percentage(part: float) -> int:
    # cut, never rounded up; rounded first, so that 0.29 * 100 = 28.999999999999996 is 29
    return math.floor(round(part * 100, 6))


def to_body(known: Gathered) -> str:
    """As JSON, for a store to keep."""
    fields = {
        "items": sorted(known.items),
        "spans": known.spans,
        "length": None if math.isinf(known.length) else known.length,
        "threshold": None if math.isinf(known.threshold) else known.threshold,
        "at": known.at,
    }
    stated = {name: value for name, value in fields.items() if value not in (None, 0, [], ())}
    return orjson.dumps(stated).decode()


def from_body(body: str) -> Gathered:
    fields = orjson.loads(body)
    return Gathered(
        frozenset(fields.get("items", ())),
        tuple((start, end) for start, end in fields.get("spans", ())),
        fields.get("length", math.inf),
        fields.get("threshold", math.inf),
        fields.get("at", 0),
    )


def _short(item: str) -> str:
    if len(item) <= MAX_ITEM_LENGTH:
        return item
    return f"blake2b:{blake2b(item.encode(), digest_size=16).hexdigest()}"


def _bounded(items: Iterable[str]) -> frozenset[str]:
    distinct = frozenset(items)
    return distinct if len(distinct) <= MAX_ITEMS else frozenset(sorted(distinct)[:MAX_ITEMS])


def _within(length: float, start: float, end: float) -> Span:
    start, end = round(max(0.0, start), 3), round(min(end, length), 3)
    return (0.0 if start < GAP else start, length if length - end < GAP else end)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sorted, without overlaps and small gaps."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] < GAP:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    if len(joined) > MAX_SPANS:
        return _joined_nearest(joined)
    return tuple(joined)


def _joined_nearest(spans: list[Span]) -> tuple[Span, ...]:
    gaps = sorted(
        (right[0] - left[1], place) for place, (left, right) in enumerate(pairwise(spans))
    )
    bridged = {place for _, place in gaps[: len(spans) - MAX_SPANS]}
    joined = [spans[0]]
    for place, span in enumerate(spans[1:]):
        if place in bridged:
            joined[-1] = (joined[-1][0], span[1])
        else:
            joined.append(span)
    return tuple(joined)
