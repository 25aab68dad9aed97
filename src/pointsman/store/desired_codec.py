"""Converts desired state to rows of the table `desired` and back, for every store. Pure.

The columns are the fields of `Desired`, but for the recipient (`learner`) and the target (`kind`,
`key`). So a new plain field is a new column once the stores' migrations add it; a field of another
type needs an encoder and a decoder here. The stores' SQL takes its lists of columns from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
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
#: what is written when a change has moved the record; `urgent` is there for sorting
MOVED = (*(name for name in COLUMNS if name not in _OF_DELIVERY), "urgent")
#: what is written when the platform is known to show the record's value
IMPORTED = (*COLUMNS, "urgent")

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
        self._decode_value = values.decode
        self._encoders: dict[str, Callable[[Desired], Any]] = {
            "learner": lambda record: str(record.recipient),
            "kind": lambda record: record.target.kind.value,
            "key": lambda record: record.target.key,
            "value": lambda record: values.encode(record.value),
            "rule": lambda record: text(record.rule),
            "source": lambda record: text(record.source),
            "after": lambda record: _to_json([[to.kind, to.key] for to in record.after]),
            "attempts": lambda record: _to_json(
                [[of.registration, of.value, of.occurred_at] for of in record.attempts]
            ),
            "delivered_value": lambda record: (
                None if record.delivered_value is None else values.encode(record.delivered_value)
            ),
            "park_code": lambda record: record.park_code or "",
            "read_back": lambda record: "" if record.read_back is None else str(record.read_back),
            "urgent": lambda record: is_urgent(record.target, record.value),
        }
        self._moved = self._encoders_of(MOVED)
        self._imported = self._encoders_of(IMPORTED)

    def moved_row(self, desired: Desired) -> list[Any]:
        """A value for each column of `MOVED`."""
        return [encode(desired) for encode in self._moved]

    def imported_row(self, desired: Desired) -> list[Any]:
        """A value for each column of `IMPORTED`."""
        return [encode(desired) for encode in self._imported]

    def decode(self, row: Mapping[str, Any]) -> Desired:
        """The record of a row that has all of `COLUMNS`."""
        delivered_value = row["delivered_value"]
        return Desired(
            recipient=Recipient.from_text(row["learner"]),
            target=Target(TargetKind(row["kind"]), row["key"]),
            value=self._decode_value(row["value"]),
            after=tuple(Target(TargetKind(kind), key) for kind, key in _from_json(row["after"])),
            attempts=tuple(Attempt(*attempt) for attempt in _from_json(row["attempts"])),
            delivered_value=(
                None if delivered_value is None else self._decode_value(delivered_value)
            ),
            park_code=_park_code(row["park_code"], row["parked"]),
            read_back=ReadBackPlace.from_text(row["read_back"]) if row["read_back"] else None,
            **{name: row[name] for name in _PLAIN},
        )

    def _encoders_of(self, columns: Iterable[str]) -> list[Callable[[Desired], Any]]:
        return [self._encoders.get(name) or attrgetter(name) for name in columns]


#: columns that are read as they are
_PLAIN = [name for name in COLUMNS if _TYPES.get(name) in {"int", "str"}]


def _park_code(code: str, parked: str) -> ParkCode | None:
    """A replica of the version before parks without a code."""
    if not parked:
        return None
    return ParkCode(code) if code else ParkCode.UNKNOWN


def _to_json(value: list[Any]) -> str:
    return orjson.dumps(value).decode() if value else _EMPTY_LIST


def _from_json(written: str) -> list[list[Any]]:
    if written == _EMPTY_LIST:
        return []
    value: list[list[Any]] = orjson.loads(written)
    return value


def by_learner(records: Iterable[Desired]) -> dict[str, tuple[Desired, ...]]:
    """Desired state that can be read back, by the learner's name: it is never a meeting's."""
    records_by_learner: defaultdict[str, list[Desired]] = defaultdict(list)
    for record in records:
        records_by_learner[record.recipient.id].append(record)
    return {learner: tuple(theirs) for learner, theirs in records_by_learner.items()}
