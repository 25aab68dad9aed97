"""A pool of sessions: one that an error has made useless is closed, and the next one is new."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from pointsman.domain.errors import NotStorable, Retry, StoreRefuses, StoreUnavailable
from pointsman.store.postgres.session import (
    PATIENCE,
    SHARED_SESSION,
    Connection,
    SessionOpener,
)
from pointsman.store.postgres.sqlstates import ERRORS, Verdict, explain, judge

T = TypeVar("T")

#: seconds for what goes over whole tables
LONG = 3_600.0
#: seconds that a query which took too long has to be cancelled; its session is closed otherwise
_CANCEL = 2.0
#: how often a transaction is begun again: when others were in its way, and when its session was
#: closed before it could be committed
_TRIES, _SESSIONS = 10, 2
#: seconds for which a session of others is looked for, and between two looks
_LOOK_FOR, _LOOK_EVERY = 2.0, 0.1
_PID = "SELECT pg_backend_pid()"
_CLOSING = {Verdict.CLOSE, Verdict.CLOSE_ALL, Verdict.LASTING}
_REPEATED = {Verdict.AGAIN, Verdict.CLOSE, Verdict.CLOSE_ALL}


class CollisionError(Retry):
    """Another replica stored the same at the same time; to be decided again."""


def count_of(tag: str) -> int:
    """Rows, from a command's tag such as `UPDATE 3`."""
    return int(tag.rpartition(" ")[2])


class Pool:
    """Sessions to `url`.

    Every method raises `StoreUnavailable` while there are none to be had, `StoreRefuses` (which is
    one) where that lasts until somebody acts, and `NotStorable` for what no database would take.
    """

    def __init__(
        self,
        url: str,
        password: Callable[[], str] | None,
        connections: int,
        end_collisions: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> None:
        """`end_collisions` is called where rows go on having the keys of others."""
        self._end_collisions = end_collisions
        self._opener = SessionOpener(url, password)
        self._connections = connections
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            min_size=0,
            max_size=self._connections,
            connect=self._opener.open,
            reset=_nothing_to_reset,
        )
        try:
            async with self.connection():
                pass
            if self._opener.is_pooled:
                await self._must_keep_sessions()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await asyncio.wait_for(pool.close(), PATIENCE)
            except ERRORS:
                pool.terminate()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One session; its errors are ours from here on."""
        try:
            async with self._session() as session:
                yield session
        except ERRORS as error:
            raise _ours(error) from error

    async def transaction(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """`work` in one transaction."""
        return await self._repeat(lambda session: _commit(session, work))

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """`work`, which only reads, in one statement or in no need of a snapshot."""
        return await self._repeat(work)

    async def snapshot(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """`work`, which only reads, with every statement seeing the same moment."""

        async def in_snapshot(session: Connection) -> T:
            async with session.transaction(isolation="repeatable_read", readonly=True):
                return await work(session)

        return await self._repeat(in_snapshot)

    async def _repeat(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """`work` on a session, again from its start while an error of it says that this helps."""
        closed = 0
        for _ in range(_TRIES):
            try:
                async with self._session() as session:
                    return await work(session)
            except (CollisionError, *ERRORS) as error:
                verdict = Verdict.AGAIN if isinstance(error, CollisionError) else judge(error)
                closed += verdict is not Verdict.AGAIN
                if (
                    verdict not in _REPEATED
                    or closed == _SESSIONS
                    or isinstance(error, TimeoutError)  # the caller has waited long enough
                ):
                    raise _ours(error) from error
                last = error
        if self._end_collisions is not None and isinstance(last, asyncpg.UniqueViolationError):
            with contextlib.suppress(StoreUnavailable, *ERRORS):
                async with self._session() as session:
                    await self._end_collisions(session)
        raise StoreUnavailable(f"the PostgreSQL store is too busy: {explain(last)}") from last

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncIterator[Connection]:
        """Raises what asyncpg does; without a session, `StoreUnavailable`."""
        pool = self._pool
        if pool is None:
            raise StoreUnavailable("the PostgreSQL store is not open")
        session = await _acquire(pool)
        try:
            yield session
        except (StoreUnavailable, *ERRORS) as error:
            cause = error.__cause__ if isinstance(error, StoreUnavailable) else error
            verdict = Verdict.CLOSE if cause is None else judge(cause)
            if verdict in _CLOSING:
                _close(session)
            if verdict is Verdict.CLOSE_ALL:
                await pool.expire_connections()
            raise
        finally:
            # what the caller did is done, however this ends; asyncpg closes what it can't release
            with contextlib.suppress(*ERRORS):
                await pool.release(session, timeout=_CANCEL)

    async def _must_keep_sessions(self) -> None:
        """Raises `StoreRefuses` for a pooler that gives our session's server to others.

        Two sessions that are both open are then seen on one server process.
        """
        async with self.connection() as first, self.connection() as second:
            for _ in range(3):
                if await _pid(first) == await _pid(second):
                    raise StoreRefuses(_SHARED_SESSIONS)


_SHARED_SESSIONS = (
    "store.url: there is a pooler in transaction mode before the database; next: let it have "
    "pool_mode = session for this database, or give the address of the server itself"
)


async def _acquire(pool: asyncpg.Pool) -> Connection:
    """Waits for a session of others, a moment, where no new one can be had."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _LOOK_FOR
    while True:
        try:
            return await pool.acquire(timeout=PATIENCE)
        except StoreUnavailable:
            if loop.time() > deadline or not pool.get_size():
                raise
        except ERRORS as error:
            raise _ours(error) from error
        await asyncio.sleep(_LOOK_EVERY)


async def _pid(session: Connection) -> int:
    try:
        pid: int = await session.fetchval(_PID)
    except SHARED_SESSION as error:
        raise StoreRefuses(_SHARED_SESSIONS) from error
    return pid


async def _commit(session: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Raises `StoreUnavailable` where nobody can say whether it was committed."""
    transaction = session.transaction()
    await transaction.start()
    try:
        result = await work(session)
    except BaseException:
        try:
            async with asyncio.timeout(_CANCEL):
                await transaction.rollback()
        except ERRORS:
            _close(session)
        raise
    try:
        await transaction.commit()
    except ERRORS as error:
        if judge(error) is Verdict.AGAIN:
            raise
        raise StoreUnavailable(
            f"the PostgreSQL store did not say whether it committed: {explain(error)}"
        ) from error
    return result


def _close(session: Connection) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):  # the pool has noticed its end already
        session.terminate()


async def _nothing_to_reset(_session: Any) -> None:
    """No state is left in a session: locks, cursors and settings are those of transactions."""


def _ours(error: BaseException) -> Exception:
    match judge(error):
        case Verdict.DATUM:
            return NotStorable(f"the PostgreSQL store can't hold this: {explain(error)}")
        case Verdict.LASTING:
            return StoreRefuses(f"the PostgreSQL store refuses: {explain(error)}")
        case _:
            return StoreUnavailable(f"the PostgreSQL store did not answer: {explain(error)}")
