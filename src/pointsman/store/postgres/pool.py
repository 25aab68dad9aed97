"""A pool of connections, and what their errors mean to the caller."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias, TypeVar

import asyncpg

from pointsman.domain.errors import ConfigError, Retry, StoreUnavailable

T = TypeVar("T")
Connection: TypeAlias = asyncpg.Connection

#: seconds that a statement, and getting a connection, may take
_PATIENCE = 15.0
#: seconds for what goes over whole tables
LONG = 3_600.0
#: On a young database nothing is known of the tables' sizes yet, and a plan that reads all of a
#: table would be kept while it grows, though every lookup of ours has its index (8 times slower,
#: measured). Compiling takes longer than any of our queries.
_SETTINGS = {"application_name": "pointsman", "enable_seqscan": "off", "jit": "off"}
#: somebody else was faster, or waited for us while we waited for them: once more
_AGAIN = (
    asyncpg.exceptions.DeadlockDetectedError,
    asyncpg.exceptions.SerializationError,
    asyncpg.exceptions.UniqueViolationError,
)
_TRIES = 10
#: what is wrong with an address, a name or a password, and stays so
_REFUSALS = (
    asyncpg.exceptions.InvalidAuthorizationSpecificationError,
    asyncpg.exceptions.InvalidCatalogNameError,
    asyncpg.exceptions.InsufficientPrivilegeError,
)
#: what is wrong with the input alone; everything else may pass
_DATA = (asyncpg.exceptions.DataError, asyncpg.exceptions.IntegrityConstraintViolationError)


class CollisionError(Retry):
    """Another replica stored the same at the same time; to be decided anew."""


def count_of(tag: str) -> int:
    """Rows, from a command's tag such as `UPDATE 3`."""
    return int(tag.rpartition(" ")[2])


class Pool:
    """A pool of connections to `dsn`; raises `StoreUnavailable` while there are none to be had.

    `password` is asked for the password of each new connection, for it may change.
    """

    def __init__(self, dsn: str, password: Callable[[], str] | None, connections: int) -> None:
        self._dsn = dsn
        self._password = password
        self._connections = connections
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        """Raises `ConfigError` for what is wrong with the settings."""
        try:
            self._pool = await asyncpg.create_pool(
                self._dsn,
                password=self._password,
                min_size=1,
                max_size=self._connections,
                command_timeout=_PATIENCE,
                timeout=_PATIENCE,
                server_settings=_SETTINGS,
            )
        except _REFUSALS as error:
            raise ConfigError(f"store.url: the database refuses us: {error}") from error
        except (ValueError, asyncpg.exceptions.ClientConfigurationError) as error:
            raise ConfigError(f"store.url: can't be used: {error}") from None
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreUnavailable(f"store.url: no answer from the database: {error}") from error

    async def close(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await asyncio.wait_for(pool.close(), _PATIENCE)
            except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                pool.terminate()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection; its errors are ours from here on."""
        pool = self._pool
        if pool is None:
            raise StoreUnavailable("the PostgreSQL store is not open")
        try:
            async with pool.acquire(timeout=_PATIENCE) as connection:
                yield connection
        except (CollisionError, *_AGAIN, *_DATA):
            raise
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            words = str(error) or type(error).__name__
            raise StoreUnavailable(f"the PostgreSQL store did not answer: {words}") from error

    async def transaction(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """`work` in one transaction, again from its start when another one was in its way."""
        for _ in range(_TRIES):
            try:
                async with self.connection() as connection, connection.transaction():
                    return await work(connection)
            except (CollisionError, *_AGAIN) as error:
                last = error
        raise StoreUnavailable(f"the PostgreSQL store is too busy: {last}") from last

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """`work`, which only reads, in one statement or in no need of a snapshot."""
        async with self.connection() as connection:
            return await work(connection)

    async def snapshot(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """`work`, which only reads, with every statement seeing the same moment."""
        async with (
            self.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await work(connection)
