"""PostgreSQL as it is run: a primary with a standby, a pooler in front, a role with a password."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from demo.apache_kafka import Unavailable
from demo.children import Child
from demo.database import Server, not_root
from demo.processes import PATIENCE, free_port
from tests.support.certificates import Authority, signed

_BOUNCER = """
[databases]
* = host=127.0.0.1 port={server} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
"""
_DEBIAN = "/usr/sbin"
ROLE = "pm"
T = TypeVar("T")


async def execute(dsn: str, *commands: str) -> None:
    """Each in a transaction of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        for command in commands:
            await connection.execute(command)
    finally:
        await connection.close()


async def ask(dsn: str, question: str, *values: Any) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question, *values)
    finally:
        await connection.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """For callers that have no loop, and for those that are in one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def until(dsn: str, question: str) -> None:
    """Until the server answers a question with true."""
    async with asyncio.timeout(PATIENCE):
        while not await ask(dsn, question):  # noqa: ASYNC110 - what is awaited is on a server
            await asyncio.sleep(0.05)


def end_sessions(database: str) -> str:
    """The command that ends all sessions but its own."""
    others = f"datname = '{database}' AND pid <> pg_backend_pid()"
    return f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"  # noqa: S608


@contextmanager
def standby_of(primary: Server) -> Iterator[Server]:
    """A standby that runs; commits of the primary wait until it has them.

    Without that a promoted standby may lack what was acknowledged last.
    """
    with tempfile.TemporaryDirectory(prefix="pointsman-standby-") as folder:
        standby = Server(Path(folder), fsync=False, primary=primary)
        try:
            standby.start()
            run(_wait_for_commits(primary.dsn))
            yield standby
        finally:
            standby.stop()


async def _wait_for_commits(dsn: str) -> None:
    await until(dsn, "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")
    await execute(
        dsn, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"
    )
    await until(dsn, "SELECT bool_and(sync_state = 'sync') FROM pg_stat_replication")


def with_password(server: Server, password: str) -> Callable[[str], None]:
    """A role that owns its database `pm` and has to show a password; how to give it another."""
    hba = server.data / "pg_hba.conf"
    hba.write_text(f"host all {ROLE} 127.0.0.1/32 scram-sha-256\n{hba.read_text()}")

    def change(new: str) -> None:
        run(execute(server.dsn, f"ALTER ROLE {ROLE} PASSWORD '{new}'"))

    run(
        execute(
            server.dsn,
            f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'",
            f"CREATE DATABASE {ROLE} OWNER {ROLE} ENCODING 'UTF8' TEMPLATE template0",
            "SELECT pg_reload_conf()",
        )
    )
    return change


async def with_tls(server: Server, by: Authority) -> None:
    """From now on it speaks TLS, with a certificate signed by this authority."""
    path = server.data / "server.pem"
    signed(path, "127.0.0.1", by)
    path.chmod(0o600)
    owner = server.data.stat()
    os.chown(path, owner.st_uid, owner.st_gid)
    await execute(
        server.dsn,
        "ALTER SYSTEM SET ssl_cert_file = 'server.pem'",
        "ALTER SYSTEM SET ssl_key_file = 'server.pem'",
        "ALTER SYSTEM SET ssl = on",
        "SELECT pg_reload_conf()",
    )


@contextmanager
def bouncer(server: Server, mode: str, **settings: object) -> Iterator[str]:
    """PgBouncer before a server, and the address there."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path=_DEBIAN)
    if program is None:
        pytest.skip("needs pgbouncer")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pointsman-bouncer-") as name:
        folder = Path(name)
        try:
            as_user = not_root(folder)
        except Unavailable as reason:
            pytest.skip(f"needs a user for pgbouncer: {reason}")
        ini = folder / "pgbouncer.ini"
        more = "".join(f"{name} = {value}\n" for name, value in settings.items())
        ini.write_text(
            _BOUNCER.format(server=server.host.partition(":")[2], port=port, mode=mode) + more
        )
        with (folder / "log").open("wb") as log:
            process = Child([*as_user, program, str(ini)], output=log, cwd=folder)
        dsn = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        try:
            run(_listens(dsn))
            yield dsn
        finally:
            process.terminate()
            process.wait(PATIENCE)


async def _listens(dsn: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(OSError):
                await ask(dsn, "SELECT 1")
                return
            await asyncio.sleep(0.05)
