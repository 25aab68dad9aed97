"""Makes records that nobody changes, for the paths where many are made for each statement.

A frozen dataclass checks that at run time, and setting each of its fields takes many times as long.
That nobody changes a record is mypy's to say here, as it says everything else about types.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """`cls` as a dataclass with slots: frozen for mypy, equal and hashed by its fields."""
    has_own_hash = "__hash__" in vars(cls)
    return dataclass(slots=True, unsafe_hash=not has_own_hash)(cls)
