"""A database that fails over, is behind a pooler or gets a new password, under load.

Every 2xx is in the store exactly once, posts succeed soon after the database is well, and /readyz
told the truth all the time.
"""

from __future__ import annotations

import asyncio
import signal
import time
from functools import partial
from pathlib import Path

from demo.database import Server
from tests.support.daemon_fleet import a_fleet
from tests.support.fleet_load import STALE, Load, ride_out
from tests.support.postgres_servers import (
    ROLE,
    ask,
    bouncer,
    end_sessions,
    execute,
    standby_of,
    with_password,
)

LEARNERS = 6


async def stored_ids(dsn: str) -> list[str]:
    ids: list[str] = await ask(dsn, "SELECT coalesce(array_agg(id), '{}') FROM statements")
    return ids


def test_a_standby_that_is_promoted_takes_over(tmp_path: Path, own_database_server: Server) -> None:
    primary = own_database_server
    with standby_of(primary) as standby:
        hosts = f"{primary.host},{standby.host}"
        url = f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write"

        async def promote(load: Load) -> float:
            await asyncio.to_thread(primary.stop, signal.SIGQUIT)
            began = time.monotonic()
            await asyncio.sleep(STALE + 2)
            assert load.ready_between(began + STALE, time.monotonic()) == {503}
            await asyncio.to_thread(standby.promote)
            return time.monotonic()

        with a_fleet(tmp_path, LEARNERS, store=url) as fleet:
            asyncio.run(ride_out(fleet, partial(stored_ids, standby.dsn), promote))


def test_a_server_that_turns_read_only_and_back_is_gone_on_with(
    tmp_path: Path, own_database_server: Server
) -> None:
    """Case 17, under load: what a failover behind one address looks like."""
    server = own_database_server

    async def turn(load: Load) -> float:
        await execute(
            server.dsn,
            "ALTER DATABASE postgres SET default_transaction_read_only = on",
            end_sessions("postgres"),
        )
        await asyncio.sleep(STALE + 2)
        assert "takes no writes" in load.refused[-1][2]
        assert "takes no writes" in load.samples[-1][2]
        other = f"postgresql://postgres@{server.host}/template1"
        await execute(other, "ALTER DATABASE postgres SET default_transaction_read_only = off")
        return time.monotonic()

    with a_fleet(tmp_path, LEARNERS, store=server.dsn) as fleet:
        asyncio.run(ride_out(fleet, partial(stored_ids, server.dsn), turn))


def test_a_restart_of_the_server_behind_pgbouncer_is_gone_on_with(
    tmp_path: Path, own_database_server: Server
) -> None:
    """Case 18, under load."""
    server = own_database_server

    async def restart(_load: Load) -> float:
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        return time.monotonic()

    with (
        bouncer(server, "session", server_login_retry=1) as dsn,
        a_fleet(tmp_path, LEARNERS, store=dsn) as fleet,
    ):
        asyncio.run(ride_out(fleet, partial(stored_ids, server.dsn), restart, out=False))


def test_a_password_that_is_rotated_in_its_file_is_used(
    tmp_path: Path, own_database_server: Server
) -> None:
    """Case 19, under load."""
    server = own_database_server
    change = with_password(server, "first-pw-1")
    file = tmp_path / "password"
    file.write_text("first-pw-1")
    dsn = f"postgresql://{ROLE}@{server.host}/{ROLE}"
    dsn_of_owner = f"postgresql://postgres@{server.host}/{ROLE}"

    async def rotate(load: Load) -> float:
        await asyncio.to_thread(change, "second-pw-2")
        await execute(server.dsn, end_sessions(ROLE))
        await asyncio.sleep(STALE + 2)
        for words in (load.refused[-1][2], load.samples[-1][2]):
            assert "password authentication failed" in words
            assert "store.password_file" in words
        file.write_text("second-pw-2")
        return time.monotonic()

    with a_fleet(tmp_path, LEARNERS, store=f'{dsn}"\npassword_file = "{file}') as fleet:
        asyncio.run(ride_out(fleet, partial(stored_ids, dsn_of_owner), rotate))
