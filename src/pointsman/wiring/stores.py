"""[store] becomes a store, which finds statements by the keys that stage 2 gives them."""

from __future__ import annotations

from collections.abc import Callable

import orjson
from pydantic import ValidationError

from pointsman.config import Settings
from pointsman.domain.clock import Clock
from pointsman.statements import STATEMENT, authority_key, index_keys, reference
from pointsman.store.base import Store
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore
from pointsman.store.statement_index import Indexed, ReadKeys


def store(
    settings: Settings,
    clock: Clock,
    *,
    beside: bool = False,
    on_commit: Callable[[float, int], None] = lambda _seconds, _submissions: None,
) -> Store:
    """`beside` is for a command that works while daemons run."""
    read_keys = key_reader(settings.platform.origin)
    if settings.store.is_shared:
        password = settings.store.password
        return PostgresStore(
            settings.store.url,
            password=password.get_secret_value() if password is not None else None,
            connections=settings.store.connections,
            clock=clock,
            beside=beside,
            on_commit=on_commit,
            read_keys=read_keys,
        )
    return SqliteStore(
        settings.store.path, clock=clock, beside=beside, on_commit=on_commit, read_keys=read_keys
    )


def key_reader(authority_home_page: str) -> ReadKeys:
    """For statements that are stored already."""

    def read(body: bytes, index: int | None, source: str) -> Indexed:
        found = orjson.loads(body)
        try:
            statement = STATEMENT.validate_python(found if index is None else found[index])
        except ValidationError:  # it was valid to the version that stored it
            return Indexed((), None)
        keys = {authority_key(authority_home_page, source), *index_keys(statement)}
        return Indexed(tuple(keys), reference(statement))

    return read
