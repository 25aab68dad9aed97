"""Opens sessions: to the host that takes writes, with our settings, on a database that fits."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import asyncpg

from pointsman.domain.errors import StoreRefuses, StoreUnavailable
from pointsman.store.database_hosts import each_host, first_to_succeed
from pointsman.store.postgres.sqlstates import ERRORS, Verdict, explain, judge

Connection: TypeAlias = asyncpg.Connection

#: seconds that a statement may take
PATIENCE = 15.0
#: seconds that getting a session from one host may take, and before the next host is tried as well
_CONNECT, _STAGGER = 4.0, 1.0
#: A host that is gone without a word is given up after so many seconds without a sign of it,
#: however long a query may take (tcp(7)); seconds, and TCP_USER_TIMEOUT in milliseconds.
_KEEPALIVE = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 5_000}
_ENCODING = "UTF8"
#: a session whose prepared statements come and go is not its client's alone
SHARED_SESSION = (
    asyncpg.exceptions.InvalidSQLStatementNameError,
    asyncpg.exceptions.DuplicatePreparedStatementError,
)
#: how the path of a socket begins as the host of an address
_SOCKET = "@%2F"
#: Settings of ours go by SET and not at the start of a session, where a pooler refuses them. On a
#: young database nothing is known of the tables' sizes yet, and a plan that reads all of a table
#: would be kept while it grows, though every lookup of ours has its index (8 times slower,
#: measured). Compiling takes longer than any of our queries. Who waited for a lock has to see what
#: was committed meanwhile, whatever isolation the database or the role prefers. What is
#: answered with 200 is stored, so a commit waits for the server's disk, whatever they prefer.
_OPEN = """
SELECT pg_backend_pid() AS pid, current_database() AS database,
    current_setting('server_encoding') AS encoding,
    pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS is_read_only,
    set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false),
    set_config('default_transaction_isolation', 'read committed', false),
    CASE current_setting('synchronous_commit')
        WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END
"""


class SessionOpener:
    """Opens sessions to `url`, which may name several hosts.

    `password` is asked for each session, for it may change; it raises `ValueError` where its file
    can't be read.
    """

    def __init__(self, url: str, password: Callable[[], str] | None) -> None:
        self._hosts = each_host(url)
        self._password = password
        #: something between us and the server hands out its sessions
        self.is_pooled = False

    async def open(self, _dsn: str | None, **options: Any) -> Connection:
        """In the place of `asyncpg.connect`, for a pool.

        Raises `StoreRefuses` for what stays as it is until somebody acts, `StoreUnavailable` for
        the rest.
        """
        password: str | None = None
        if self._password is not None:
            try:
                password = self._password()
            except ValueError as error:
                raise StoreUnavailable(f"store.password_file: {error}") from None

        async def attempt(host: str) -> Connection:
            return await self._open(host, password, options)

        try:
            host, connection = await first_to_succeed(
                self._hosts, attempt, _STAGGER, lambda late: late.terminate()
            )
        except ExceptionGroup as errors:
            raise _first_that_may_pass(errors.exceptions) from None
        # the one that led to a server which takes writes is asked first the next time
        self._hosts.sort(key=lambda other: other != host)
        return connection

    async def _open(self, host: str, password: str | None, options: dict[str, Any]) -> Connection:
        try:
            connection = await asyncpg.connect(
                host,
                password=password,
                timeout=_CONNECT,
                command_timeout=PATIENCE,
                server_settings={"application_name": "pointsman"},
                # a pooler repeats what it once heard of that, so the server is asked below
                target_session_attrs="any",
                **options,
            )
        except (ValueError, *ERRORS) as error:
            raise _refusal(error, host) from error
        try:
            _notice_when_it_is_gone(connection)
            row = await connection.fetchrow(_OPEN, timeout=_CONNECT)
            _must_fit(row)
        except ERRORS as error:
            connection.terminate()
            raise _refusal(error, host) from error
        except BaseException:
            connection.terminate()
            raise
        self.is_pooled = self.is_pooled or row["pid"] != connection.get_server_pid()
        return connection


def _first_that_may_pass(errors: Sequence[Exception]) -> Exception:
    """What all hosts together amount to."""
    return next((one for one in errors if not isinstance(one, StoreRefuses)), errors[0])


def _refusal(error: Exception, host: str) -> StoreUnavailable:
    lasting = judge(error) is Verdict.LASTING or isinstance(error, (ValueError, *SHARED_SESSION))
    if isinstance(error, FileNotFoundError) and _SOCKET in host.upper():
        lasting = False  # the server makes it when it starts
    if lasting:
        return StoreRefuses(f"store.url: the database can't be used: {explain(error)}")
    return StoreUnavailable(f"store.url: no answer from the database: {explain(error)}")


def _must_fit(row: Mapping[str, Any]) -> None:
    """Statements are JSON, which holds every character of Unicode."""
    if row["encoding"] != _ENCODING:
        raise StoreRefuses(
            f"store.url: the database {row['database']} has the encoding {row['encoding']}, which "
            f"can't hold every statement; next: CREATE DATABASE … ENCODING '{_ENCODING}' TEMPLATE "
            "template0, and name that one"
        )
    if row["is_read_only"]:
        raise StoreUnavailable(
            "store.url: the database takes no writes: its server is a standby, or "
            "default_transaction_read_only is on"
        )


def _notice_when_it_is_gone(connection: Connection) -> None:
    sock = connection._transport.get_extra_info("socket")  # noqa: SLF001 - asyncpg has no option
    if sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):  # they differ between systems
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
