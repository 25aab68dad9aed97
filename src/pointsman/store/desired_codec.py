"""Converts desired state to rows of the table `desired` and back, for every store. Pure.

The columns are the fields of `Desired`, but for the recipient (`learner`) and the target (`kind`,
`key`). So a new plain field is a new column once the stores' migrations add it; a field of another
type needs an encoder and a decoder here. The stores' SQL takes its lists of columns from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal

import orjson

from pointsman.domain.desired_state import Attempt, Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import (
    ReadBackPlace,
    Recipient,
    Target,
    TargetKind,
    Value,
    is_urgent,
)
from pointsman.store.strip_nul import text

_TYPES = {field.name: str(field.type) for field in fields(Desired)}

#: what a row is found by
KEY = ("learner", "kind", "key")
#: the others that a `Desired` is read from
STATE = tuple(name for name in _TYPES if name not in {"recipient", "target"})
COLUMNS = (*KEY, *STATE)
#: what settling a delivery moves, and a change does not
_OF_DELIVERY = frozenset(
    {"delivered_version", "delivered_value", "failures", "retry_at", "parked", "park_code"}
)
#: columns that are written as they are
_PLAIN = tuple(
    name
    for name, kind in _TYPES.items()
    if kind in {"int", "str"} and name not in {"rule", "source"}
)
_PLAIN_MOVED = tuple(name for name in _PLAIN if name not in _OF_DELIVERY)
#: what is written when a change has moved the record; `urgent` is there for sorting. The plain
#: ones come last, for they are taken out of a record all at once
MOVED = (
    *KEY,
    "value",
    "rule",
    "source",
    "after",
    "attempts",
    "read_back",
    "urgent",
    *_PLAIN_MOVED,
)
#: what is written when the platform is known to show the record's value
IMPORTED = (
    *MOVED,
    "delivered_value",
    "park_code",
    *(name for name in _PLAIN if name in _OF_DELIVERY),
)

_EMPTY_LIST = "[]"


def column_type(column: str) -> Literal["integer", "boolean", "text"]:
    """What a column holds; values are text wherever a store can't mix numbers and words."""
    if column == "urgent":
        return "boolean"
    return "integer" if _TYPES.get(column) == "int" else "text"


def assignments(columns: Iterable[str], *but: str) -> str:
    """SQL that updates a row that is there already; not its key, and not the columns of `but`."""
    return ", ".join(f"{name} = excluded.{name}" for name in columns if name not in {*KEY, *but})


@dataclass(frozen=True, slots=True)
class ValueCodec:
    """How a store keeps a `Value`."""

    encode: Callable[[Value], Any]
    decode: Callable[[Any], Value]


class DesiredCodec:
    """Rows of a store that keeps values as `values` says."""

    def __init__(self, values: ValueCodec) -> None:
        self._values = values

    def decode(self, row: Mapping[str, Any]) -> Desired:
        """The record of a row that has all of `COLUMNS`."""
        return self.decode_values([row[name] for name in COLUMNS])

    def decode_values(self, values: list[Any]) -> Desired:
        """The same of values in the order of `COLUMNS`."""
        learner, kind, key, *state = values
        return self.decode_state(Recipient.from_text(learner), Target(_KINDS[kind], key), state)

    def decode_state(self, recipient: Recipient, target: Target, values: list[Any]) -> Desired:
        """The same where it is known whose state of what it is; `values` are as in `STATE`.

        They are changed where they stand, for this is done for each change of a statement.
        """
        decode = self._values.decode
        values[_VALUE] = decode(values[_VALUE])
        values[_AFTER] = () if (after := values[_AFTER]) == _EMPTY_LIST else _targets(after)
        values[_ATTEMPTS] = (
            () if (attempts := values[_ATTEMPTS]) == _EMPTY_LIST else _attempts(attempts)
        )
        if (delivered := values[_DELIVERED_VALUE]) is not None:
            values[_DELIVERED_VALUE] = decode(delivered)
        values[_PARK_CODE] = _park_code(values[_PARK_CODE]) if values[_PARKED] else None
        values[_READ_BACK] = _place(place) if (place := values[_READ_BACK]) else None
        return Desired(recipient, target, *values)

    def moved_row(self, record: Desired) -> list[Any]:
        """A value for each column of `MOVED`."""
        kind, key = record.target
        return [
            str(record.recipient),
            # `value` of an enum costs a call
            kind._value_,
            key,
            self._values.encode(record.value),
            text(record.rule),
            text(record.source),
            _to_json([[*target] for target in record.after]) if record.after else _EMPTY_LIST,
            _to_json([[of.registration, of.value, of.occurred_at] for of in record.attempts])
            if record.attempts
            else _EMPTY_LIST,
            "" if record.read_back is None else str(record.read_back),
            is_urgent(record.target, record.value),
            *_plain_moved(record),
        ]

    def imported_row(self, record: Desired) -> list[Any]:
        """A value for each column of `IMPORTED`."""
        delivered = record.delivered_value
        return [
            *self.moved_row(record),
            None if delivered is None else self._values.encode(delivered),
            record.park_code or "",
            *_plain_delivered(record),
        ]


_plain_moved = attrgetter(*_PLAIN_MOVED)
_plain_delivered = attrgetter(*(name for name in _PLAIN if name in _OF_DELIVERY))
#: the places in `STATE` of what is written in another way
_VALUE, _AFTER, _ATTEMPTS, _DELIVERED_VALUE, _PARKED, _PARK_CODE, _READ_BACK = map(
    STATE.index,
    ("value", "after", "attempts", "delivered_value", "parked", "park_code", "read_back"),
)
_KINDS = {kind.value: kind for kind in TargetKind}
#: courses and paths, which many learners have
_place = lru_cache(maxsize=4_096)(ReadBackPlace.from_text)


def _park_code(code: str) -> ParkCode:
    """A replica of the version before parks without a code."""
    return ParkCode(code) if code else ParkCode.UNKNOWN


def _targets(written: str) -> tuple[Target, ...]:
    return tuple(Target(_KINDS[kind], key) for kind, key in orjson.loads(written))


def _attempts(written: str) -> tuple[Attempt, ...]:
    return tuple(Attempt(*attempt) for attempt in orjson.loads(written))


def _to_json(value: list[Any]) -> str:
    return orjson.dumps(value).decode()


def by_learner(records: Iterable[Desired]) -> dict[str, tuple[Desired, ...]]:
    """Desired state that can be read back, by the learner's name: it is never a meeting's."""
    records_by_learner: defaultdict[str, list[Desired]] = defaultdict(list)
    for record in records:
        records_by_learner[record.recipient.id].append(record)
    return {learner: tuple(theirs) for learner, theirs in records_by_learner.items()}
