"""Makes the SQL that is the same for every table of `personal_data.TABLES`. Pure.

Names of tables and columns come from there, never from input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pointsman.store.personal_data import TABLES

#: the parameter of a place, counted from 1
Parameter = Callable[[int], str]


def select_all(table: str) -> str:
    return f"SELECT * FROM {_known(table)}"  # noqa: S608 - ours


def select_row(table: str, parameter: Parameter) -> str:
    """The row that has all of the table's key."""
    return f"SELECT * FROM {_known(table)} WHERE {_by_key(table, parameter)}"  # noqa: S608 - ours


def delete_row(table: str, parameter: Parameter) -> str:
    return f"DELETE FROM {_known(table)} WHERE {_by_key(table, parameter)}"  # noqa: S608 - ours


def update_row(table: str, columns: Iterable[str], parameter: Parameter) -> str:
    """The key's values are the first parameters, those of `columns` come after them."""
    first = len(TABLES[table].key) + 1
    assigned = ", ".join(f"{name} = {parameter(at)}" for at, name in enumerate(columns, first))
    return f"UPDATE {_known(table)} SET {assigned} WHERE {_by_key(table, parameter)}"  # noqa: S608 - ours


def select_where(table: str, column: str, condition: str) -> str:
    """In the order of the table's key. `condition` begins with an operator."""
    order = ", ".join(TABLES[table].key)
    return f"SELECT * FROM {_known(table, column)} WHERE {column} {condition} ORDER BY {order}"  # noqa: S608 - ours


def delete_where(table: str, column: str, condition: str) -> str:
    return f"DELETE FROM {_known(table, column)} WHERE {column} {condition}"  # noqa: S608 - ours


def _by_key(table: str, parameter: Parameter) -> str:
    return " AND ".join(f"{name} = {parameter(at)}" for at, name in enumerate(TABLES[table].key, 1))


def _known(table: str, column: str | None = None) -> str:
    """Raises `KeyError` for what is not declared."""
    if column is not None and column not in TABLES[table].columns:
        raise KeyError(f"{table}.{column}")
    if table not in TABLES:
        raise KeyError(table)
    return table
