"""/readyz beside real trouble: it says what a post meets, while it lasts and when it is over."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from demo.database import Database
from demo.processes import PATIENCE, free_port
from pointsman.app import Daemon
from pointsman.config import load
from pointsman.domain.errors import StoreUnavailable
from pointsman.store.sqlite import SqliteStore
from tests.support.daemon_fleet import HEADERS
from tests.support.databases import fresh_database
from tests.support.small_disk import fill

CONFIG = """
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = 0
drain_seconds = 1
[store]
url = "{store}"
[platform]
url = "http://127.0.0.1:1"
api_key = "key"
[audit]
enabled = false
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[learners.tokens]
inline = {{}}
[[rules]]
activity = "https://content.example.com/{{topic}}"
topic_id = "{{topic}}"
"""


class Running:
    """A daemon in this process, asked from outside."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def post(self, size: int = 100) -> int:
        statement = {
            "actor": {"mbox": "mailto:ana@example.com"},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
            "object": {"id": f"https://content.example.com/{'x' * size}"},
        }
        async with self._session.post(
            f"{self._url}/xapi/statements",
            headers=HEADERS,
            json=statement,
        ) as answer:
            return answer.status

    async def reason(self) -> str:
        """Why it is not ready; "" when it is."""
        async with self._session.get(f"{self._url}/readyz") as answer:
            body = await answer.json()
            return "" if answer.status == 200 else str(body["error"]["reason"])

    async def not_ready(self) -> str:
        async with asyncio.timeout(PATIENCE):
            while not (reason := await self.reason()):  # noqa: ASYNC110 - the daemon looks
                await asyncio.sleep(0.05)
        return reason

    async def well(self) -> None:
        """Ready, and a post says the same."""
        async with asyncio.timeout(PATIENCE):
            while await self.reason():  # noqa: ASYNC110 - the daemon looks by itself
                await asyncio.sleep(0.05)
        assert await self.post() == 200


@contextlib.asynccontextmanager
async def running(folder: Path, store: str) -> AsyncIterator[Running]:
    port = free_port()
    config = folder / "pointsman.toml"
    config.write_text(CONFIG.format(port=port, store=store))
    async with Daemon(load(config)), aiohttp.ClientSession() as session:
        daemon = Running(f"http://127.0.0.1:{port}", session)
        await daemon.well()
        yield daemon


async def test_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    async with running(tmp_path, f"sqlite:///{small_disk}/store.db") as daemon:
        full = fill(small_disk)
        # the log may hold some more, in room that it has
        async with asyncio.timeout(PATIENCE):
            while await daemon.post(20_000) == 200:
                assert not await daemon.reason()
        assert "could not commit" in await daemon.reason()
        assert "full" in await daemon.reason()

        full.unlink()
        await daemon.well()


async def test_a_disk_that_fills_while_nothing_is_posted(tmp_path: Path, small_disk: Path) -> None:
    async with running(tmp_path, f"sqlite:///{small_disk}/store.db") as daemon:
        fill(small_disk)

        assert "could not commit" in await daemon.not_ready()
        assert await daemon.post(200_000) == 503
        (small_disk / "full").unlink()
        await daemon.well()


@pytest.mark.parametrize("was_there", [False, True])
async def test_a_disk_that_is_full_at_the_start_is_no_mistake_of_the_settings(
    small_disk: Path, *, was_there: bool
) -> None:
    path = small_disk / "store.db"
    if was_there:
        await _opened_and_closed(path)
    full = fill(small_disk)

    with pytest.raises(StoreUnavailable, match=r"can.t be used now: .*room on its disk"):
        await _opened_and_closed(path)

    full.unlink()
    await _opened_and_closed(path)


async def _opened_and_closed(path: Path) -> None:
    store = SqliteStore(path)
    try:
        await store.open()
    finally:
        await store.close()


async def test_a_file_that_another_process_has_locked(tmp_path: Path) -> None:
    async with running(tmp_path, f"sqlite:///{tmp_path}/store.db") as daemon:
        with contextlib.closing(
            sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        ) as other:
            other.execute("BEGIN IMMEDIATE")
            reason = await daemon.not_ready()
            assert "has not written within 2 s" in reason or "locked" in reason
            other.execute("ROLLBACK")
        await daemon.well()


async def test_a_file_that_is_damaged_under_way(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with running(tmp_path, f"sqlite:///{path}") as daemon:
        with contextlib.closing(sqlite3.connect(path)) as other:
            (page,) = other.execute(
                "SELECT rootpage FROM sqlite_schema WHERE name = 'accepted'"
            ).fetchone()
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with path.open("r+b") as file:
            file.seek((page - 1) * 4_096)
            file.write(b"\xa5" * 4_096)
        # its cache is what it has read; the next process would meet it at once
        async with asyncio.timeout(PATIENCE):
            while await daemon.post() == 200:
                with contextlib.closing(sqlite3.connect(path)) as other:
                    other.execute("CREATE TABLE IF NOT EXISTS touched (number)")
                    other.execute("INSERT INTO touched VALUES (1)")
                    other.commit()
        reason = await daemon.reason()
        assert "is not sound" in reason
        assert "pointsman db restore BACKUP" in reason
        assert await daemon.post() == 503


async def test_a_server_that_only_reads(tmp_path: Path, database: Database) -> None:
    async with fresh_database(database) as dsn, running(tmp_path, dsn) as daemon:
        name = dsn.rpartition("/")[2].partition("?")[0]

        async def set_read_only(value: str) -> None:
            """For sessions that begin now, so those of the daemon are ended."""
            connection = await asyncpg.connect(database.dsn)
            await connection.execute(
                f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}'
            )
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
            await connection.close()

        await set_read_only("on")
        async with asyncio.timeout(PATIENCE):
            # at first its sessions were ended
            while "takes no writes" not in await daemon.not_ready():  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.05)
        assert await daemon.post() == 503
        await set_read_only("off")
        await daemon.well()
