"""Settled deliveries as columns of a parquet file; needs the extra `parquet`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import pyarrow as pa

from pointsman.commands import SettledDelivery

_TIME = pa.timestamp("ms", tz="UTC")
_TIMES = frozenset({"settled_at", "wanted_since", "sent_at"})
_TYPES = {"str": pa.string(), "int": pa.int64(), "float": pa.float64()}

#: the fields of `SettledDelivery`; times are times, and null where there is none
SCHEMA = pa.schema(
    [
        (field.name, _TIME if field.name in _TIMES else _TYPES[str(field.type)])
        for field in fields(SettledDelivery)
    ]
)


def table(deliveries: Sequence[SettledDelivery]) -> pa.Table:
    """One row each."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for delivery in deliveries:
        for name, values in columns.items():
            value = getattr(delivery, name)
            if name in _TIMES:
                value = datetime.fromisoformat(value) if value else None
            values.append(value)
    return pa.table(columns, schema=SCHEMA)
