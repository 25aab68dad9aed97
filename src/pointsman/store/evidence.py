"""Evidence united: what several statements say together, whatever order they come in. Pure.

What is gathered for a key only grows, and uniting is commutative, associative and idempotent; so
repeats, replicas and crashes do no harm, and a share never falls. A length and a threshold are what
players say, and the smallest of each counts: a share is then the same in whatever order they came.
How many items are all is what the rule says now.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import pairwise

import orjson

from pointsman.evidence import Evidence, Span
from pointsman.model import Change, Falls, TargetKind

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


@dataclass(frozen=True, slots=True)
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


def unite(one: Gathered, other: Gathered) -> Gathered:
    """Everything that either knows."""
    return Gathered(
        _bounded((*one.items, *other.items)),
        _joined((*one.spans, *other.spans)),
        min(one.length, other.length),
        min(one.threshold, other.threshold),
        max(one.at, other.at),
    )


def add(known: Gathered, change: Change) -> Gathered:
    """All that is known once `change` has come; the very `known` when that is nothing new."""
    if change.evidence is None:
        return known
    at = change.occurred_at if change.falls is Falls.NEW_ATTEMPT else 0
    united = unite(known, gathered(change.evidence, at))
    return known if united == known else united


def share(known: Gathered, evidence: Evidence) -> float:
    """How much of the whole that `evidence` speaks of is there, 0 to 1."""
    if evidence.spans is None:
        return min(1.0, _count(known.items, evidence.each) / evidence.whole)
    played = round(sum(end - start for start, end in known.spans), 3)
    return min(1.0, played / min(known.length, evidence.whole))


def valued(change: Change, known: Gathered) -> Change | None:
    """`change` with the value that all evidence gives it; None where that is none yet."""
    evidence = change.evidence
    if evidence is None:
        return change
    part = share(known, evidence)
    if part <= 0:
        return None
    change = replace(change, occurred_at=max(change.occurred_at, known.at))
    is_topic = change.target.kind is TargetKind.TOPIC_PROGRESS
    if part >= min(known.threshold, evidence.threshold) - _TINY:
        return replace(change, value=_COMPLETE) if is_topic else change
    if not (is_topic and evidence.partial):
        return None
    # cut, never rounded up; rounded first, so that 0.29 * 100 = 28.999999999999996 is 29
    return replace(change, value=min(_COMPLETE - 1, math.floor(round(part * 100, 6))))


def to_body(known: Gathered) -> str:
    """As JSON, for a store to keep."""
    kept = {
        "items": sorted(known.items),
        "spans": known.spans,
        "length": None if math.isinf(known.length) else known.length,
        "threshold": None if math.isinf(known.threshold) else known.threshold,
        "at": known.at,
    }
    said = {name: value for name, value in kept.items() if value not in (None, 0, [], ())}
    return orjson.dumps(said).decode()


def from_body(body: str) -> Gathered:
    kept = orjson.loads(body)
    return Gathered(
        frozenset(kept.get("items", ())),
        tuple((start, end) for start, end in kept.get("spans", ())),
        kept.get("length", math.inf),
        kept.get("threshold", math.inf),
        kept.get("at", 0),
    )


def _short(item: str) -> str:
    """A long item by its hash; what stands behind its last space keeps its meaning."""
    if len(item) <= MAX_ITEM_LENGTH:
        return item
    name, space, last = item.rpartition(" ")
    if not space or len(last) > MAX_ITEM_LENGTH:
        name, space, last = item, "", ""
    return f"blake2b:{blake2b(name.encode(), digest_size=16).hexdigest()}{space}{last}"


def _bounded(items: Iterable[str]) -> frozenset[str]:
    found = frozenset(items)
    return found if len(found) <= MAX_ITEMS else frozenset(sorted(found)[:MAX_ITEMS])


def _count(items: frozenset[str], each: int) -> int:
    if each == 1:
        return len(items)
    names = Counter(item.rpartition(" ")[0] for item in items)
    return sum(count >= each for count in names.values())


def _within(length: float, start: float, end: float) -> Span:
    start, end = round(max(0.0, start), 3), round(min(end, length), 3)
    return (0.0 if start < GAP else start, length if length - end < GAP else end)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sorted, without overlaps and small gaps."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start - found[-1][1] < GAP:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    if len(found) > MAX_SPANS:
        return _joined_nearest(found)
    return tuple(found)


def _joined_nearest(spans: list[Span]) -> tuple[Span, ...]:
    gaps = sorted(
        (right[0] - left[1], place) for place, (left, right) in enumerate(pairwise(spans))
    )
    bridged = {place for _, place in gaps[: len(spans) - MAX_SPANS]}
    found = [spans[0]]
    for place, span in enumerate(spans[1:]):
        if place in bridged:
            found[-1] = (found[-1][0], span[1])
        else:
            found.append(span)
    return tuple(found)
