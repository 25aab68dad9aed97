"""Converts desired state to rows of the table `desired` and back, for every store. Pure.

The columns are the fields of `Desired`, but for the recipient (`learner`) and the target (`kind`,
`key`). So a new plain field is a new column once the stores' migrations add it; a field of another
type needs an encoder and a decoder here. The stores' SQL takes its lists of columns from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
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
#: all columns that a `Desired` is read from
COLUMNS = (*KEY, *(name for name in _TYPES if name not in {"recipient", "target"}))
#: what settling a delivery moves, and a change does not
_OF_DELIVERY = {
    "delivered_version",
    "delivered_value",
    "failures",
    "retry_at",
    "parked",
    "park_code",
}
#: columns that are written and read as they are
_PLAIN = frozenset(name for name, kind in _TYPES.items() if kind in {"int", "str"}) - {
    "rule",
    "source",
}


def _plain_last(columns: Iterable[str]) -> tuple[str, ...]:
    """They are taken out of a record all at once."""
    return tuple(sorted(columns, key=lambda name: name in _PLAIN))


#: what is written when a change has moved the record; `urgent` is there for sorting
MOVED = _plain_last((*(name for name in COLUMNS if name not in _OF_DELIVERY), "urgent"))
#: what is written when the platform is known to show the record's value
IMPORTED = _plain_last((*COLUMNS, "urgent"))

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
        self._decoders: list[tuple[int, Callable[[Any], Any]]] = [
            (_PLACES["value"], values.decode),
            (_PLACES["after"], _targets),
            (_PLACES["attempts"], _attempts),
            (
                _PLACES["delivered_value"],
                lambda text: None if text is None else values.decode(text),
            ),
            (_PLACES["read_back"], lambda text: ReadBackPlace.from_text(text) if text else None),
        ]
        self._encoders: dict[str, Callable[[Desired], Any]] = {
            "learner": lambda record: str(record.recipient),
            "kind": lambda record: record.target.kind.value,
            "key": lambda record: record.target.key,
            "value": lambda record: values.encode(record.value),
            "rule": lambda record: text(record.rule),
            "source": lambda record: text(record.source),
            "after": lambda record: (
                _to_json([[to.kind, to.key] for to in record.after])
                if record.after
                else _EMPTY_LIST
            ),
            "attempts": lambda record: (
                _to_json([[of.registration, of.value, of.occurred_at] for of in record.attempts])
                if record.attempts
                else _EMPTY_LIST
            ),
            "delivered_value": lambda record: (
                None if record.delivered_value is None else values.encode(record.delivered_value)
            ),
            "park_code": lambda record: record.park_code or "",
            "read_back": lambda record: "" if record.read_back is None else str(record.read_back),
            "urgent": lambda record: is_urgent(record.target, record.value),
        }
        #: a value for each column of `MOVED`, and of `IMPORTED`
        self.moved_row = self._row_of(MOVED)
        self.imported_row = self._row_of(IMPORTED)

    def decode(self, row: Mapping[str, Any]) -> Desired:
        """The record of a row that has all of `COLUMNS`."""
        return self.decode_values([row[name] for name in COLUMNS])

    def decode_values(self, row: Sequence[Any]) -> Desired:
        """The same of values in the order of `COLUMNS`."""
        values = list(row)
        for place, decode in self._decoders:
            values[place] = decode(values[place])
        values[_PARK_CODE] = _park_code(values[_PARK_CODE], values[_PARKED])
        learner, kind, key, *of_record = values
        return Desired(Recipient.from_text(learner), Target(_KINDS[kind], key), *of_record)

    def _row_of(self, columns: Sequence[str]) -> Callable[[Desired], list[Any]]:
        encoders = [self._encoders[name] for name in columns if name not in _PLAIN]
        plain = attrgetter(*(name for name in columns if name in _PLAIN))
        return lambda record: [*(encode(record) for encode in encoders), *plain(record)]


#: the place of each column among all
_PLACES = {name: place for place, name in enumerate(COLUMNS)}
_PARKED, _PARK_CODE = _PLACES["parked"], _PLACES["park_code"]
_KINDS = {kind.value: kind for kind in TargetKind}


def _park_code(code: str, parked: str) -> ParkCode | None:
    """A replica of the version before parks without a code."""
    if not parked:
        return None
    return ParkCode(code) if code else ParkCode.UNKNOWN


def _targets(written: str) -> tuple[Target, ...]:
    if written == _EMPTY_LIST:
        return ()
    return tuple(Target(_KINDS[kind], key) for kind, key in orjson.loads(written))


def _attempts(written: str) -> tuple[Attempt, ...]:
    if written == _EMPTY_LIST:
        return ()
    return tuple(Attempt(*attempt) for attempt in orjson.loads(written))


def _to_json(value: list[Any]) -> str:
    return orjson.dumps(value).decode()


def by_learner(records: Iterable[Desired]) -> dict[str, tuple[Desired, ...]]:
    """Desired state that can be read back, by the learner's name: it is never a meeting's."""
    records_by_learner: defaultdict[str, list[Desired]] = defaultdict(list)
    for record in records:
        records_by_learner[record.recipient.id].append(record)
    return {learner: tuple(theirs) for learner, theirs in records_by_learner.items()}
