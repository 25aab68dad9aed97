"""Turns [store] into a store, and the budget that is kept in it.

The store finds statements by the keys that stage 2 gives them.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson
from pydantic import ValidationError

from pointsman.config import Settings
from pointsman.delivery.budget.base import Budget, QuotaLimits
from pointsman.delivery.budget.local import LocalBudget
from pointsman.delivery.budget.shared import SharedBudget
from pointsman.domain.clock import Clock
from pointsman.platforms.settings import QUOTA_WINDOW
from pointsman.statements import STATEMENT, authority_key, index_keys, referenced_statement
from pointsman.store.base import Store
from pointsman.store.postgres import PostgresStore
from pointsman.store.settings import StoreSettings
from pointsman.store.sqlite import SqliteStore
from pointsman.store.statement_index import Indexed, ReadKeys

OnCommit = Callable[[float, int], None]


def _uncounted(_seconds: float, _submissions: int) -> None:
    """For commands, which count no commits."""


def store(settings: Settings, clock: Clock, *, beside: bool = False) -> Store:
    """The store alone. `beside` is for a command that works while daemons run."""
    if settings.store.is_shared:
        return _postgres(settings, clock, _uncounted, beside=beside)
    return _sqlite(settings, clock, _uncounted, beside=beside)


def store_and_budget(
    settings: Settings, clock: Clock, limits: QuotaLimits, on_commit: OnCommit = _uncounted
) -> tuple[Store, Budget]:
    """The store, and the budget that is kept in it: of one daemon, or one that replicas share."""
    if settings.store.is_shared:
        shared = _postgres(settings, clock, on_commit, beside=False)
        return shared, SharedBudget(limits, clock, shared)
    local = _sqlite(settings, clock, on_commit, beside=False)
    return local, LocalBudget(limits, clock, local)


def budget_beside(
    settings: Settings, clock: Clock, store: Store, *, daemon_runs: bool
) -> Budget | None:
    """The budget for a command, in a store that it has open beside the daemons.

    None where the one daemon of a SQLite file runs: its ledger is its own, and it learns what
    others spend from the platform's headers.
    """
    limits = QuotaLimits.of(settings.platform.limits, window=QUOTA_WINDOW)
    if isinstance(store, PostgresStore):
        return SharedBudget(limits, clock, store)
    if daemon_runs or not isinstance(store, SqliteStore):
        return None
    return LocalBudget(limits, clock, store)


def _postgres(
    settings: Settings, clock: Clock, on_commit: OnCommit, *, beside: bool
) -> PostgresStore:
    return PostgresStore(
        settings.store.url,
        password=_password(settings.store),
        connections=settings.store.connections,
        clock=clock,
        beside=beside,
        on_commit=on_commit,
        commit_delay=settings.store.commit_delay_ms / 1_000,
        read_keys=key_reader(settings.platform.origin),
        publish_turns=settings.delivery_events is not None,
    )


def _password(settings: StoreSettings) -> Callable[[], str] | None:
    """Asked for each connection: its file may be replaced while the daemon runs."""
    password = settings.password
    return None if password is None else password.get_secret_value


def _sqlite(settings: Settings, clock: Clock, on_commit: OnCommit, *, beside: bool) -> SqliteStore:
    return SqliteStore(
        settings.store.path,
        clock=clock,
        beside=beside,
        on_commit=on_commit,
        commit_delay=settings.store.commit_delay_ms / 1_000,
        read_keys=key_reader(settings.platform.origin),
        publish_turns=settings.delivery_events is not None,
    )


def key_reader(authority_home_page: str) -> ReadKeys:
    """For statements that are stored already."""

    def read(body: bytes, index: int | None, source: str) -> Indexed:
        content = orjson.loads(body)
        try:
            statement = STATEMENT.validate_python(content if index is None else content[index])
        except ValidationError:  # it was valid to the version that stored it
            return Indexed((), None)
        keys = {authority_key(authority_home_page, source), *index_keys(statement)}
        return Indexed(tuple(keys), referenced_statement(statement))

    return read
