"""Every table and column says whether it holds a person, so that no new one can be forgotten."""

from __future__ import annotations

from pointsman.store.base import Store
from pointsman.store.personal_data import TABLES, Holds

#: columns that only one store has, by table
OF_ONE_STORE = {"accepted": {"shard"}}
TABLES_OF_ONE_STORE = {"quota_window", "duties", "pace", "schema", "waiting_keys"}


async def test_every_table_and_column_of_a_store_is_declared(store: Store) -> None:
    present = await store.table_columns()
    undeclared = {
        f"{table}.{column}"
        for table, columns in present.items()
        for column in columns
        if table not in TABLES or column not in TABLES[table].columns
    }
    assert undeclared == set(), "declare it in store/personal_data.py: whom it names, how it goes"


async def test_every_declared_table_and_column_is_there(store: Store) -> None:
    present = await store.table_columns()
    gone = {
        f"{table}.{column}"
        for table, declared in TABLES.items()
        for column in declared.columns
        if table not in TABLES_OF_ONE_STORE
        and column not in present.get(table, set()) | OF_ONE_STORE.get(table, set())
    }
    assert gone == set()


async def test_a_column_that_is_called_learner_is_declared_to_hold_one(store: Store) -> None:
    for table, columns in (await store.table_columns()).items():
        if "learner" in columns:
            assert TABLES[table].columns["learner"] in {Holds.LEARNER, Holds.ABOUT}, table
