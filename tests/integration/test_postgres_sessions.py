"""Sessions to a PostgreSQL that fails over, is behind a pooler, or has another password now."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from demo.database import Database, Server
from demo.processes import PATIENCE
from pointsman.domain.errors import ConfigError, StoreRefuses, StoreUnavailable
from pointsman.store.base import Document, DocumentKey, OverQuota
from pointsman.store.document_quota import DocumentAmounts
from pointsman.store.postgres import PostgresStore
from pointsman.store.postgres.rows import SQL
from tests.support.certificates import authority
from tests.support.change_factory import change, topic, wants
from tests.support.cuttable_proxy import Pipe
from tests.support.databases import fresh_database
from tests.support.manual_clock import ManualClock
from tests.support.postgres_servers import (
    ROLE,
    ask,
    bouncer,
    end_sessions,
    execute,
    standby_of,
    until,
    with_password,
    with_tls,
)


@asynccontextmanager
async def opened(dsn: str, **options: Any) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(dsn, **{"connections": 2, **options})
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def post(store: PostgresStore) -> None:
    await store.ingest([wants(change("ana", topic("t"), 10))])


async def count(store: PostgresStore) -> int:
    books = await store.books()
    assert books.balanced, books
    return books.accepted


def name_of(dsn: str) -> str:
    return dsn.rpartition("/")[2]


async def refusal(dsn: str, **options: Any) -> str:
    """Why a daemon does not start, which it has to say at once and not after its waits."""

    class Impatient(ManualClock):
        async def sleep(self, seconds: float) -> None:
            raise AssertionError(f"waited for {seconds} s")

    with pytest.raises(ConfigError) as caught:
        await PostgresStore(dsn, clock=Impatient(), **options).open()
    return str(caught.value)


async def test_a_session_on_a_server_that_became_read_only_is_not_used_again(
    database: Database,
) -> None:
    """Case 17."""
    async with fresh_database(database) as dsn, opened(dsn) as store:
        await post(store)
        name = name_of(dsn)
        await execute(
            dsn,
            f"ALTER DATABASE {name} SET default_transaction_read_only = on",
            end_sessions(name),
        )
        with pytest.raises(StoreUnavailable, match="takes no writes"):
            await post(store)
        await execute(
            dsn.replace(name, "postgres"),
            f"ALTER DATABASE {name} SET default_transaction_read_only = off",
        )
        await post(store)
        assert await count(store) == 2


@pytest.mark.parametrize(
    ("preferred", "used"),
    [("off", "on"), ("local", "local"), ("on", "on"), ("remote_apply", "remote_apply")],
)
async def test_a_commit_waits_for_the_disk_whatever_the_database_prefers(
    database: Database, preferred: str, used: str
) -> None:
    """What is answered with 200 survives a crash of the server."""
    async with fresh_database(database) as dsn:
        name = name_of(dsn)
        await execute(dsn, f"ALTER DATABASE {name} SET synchronous_commit = {preferred}")
        async with opened(dsn) as store, store._pool.connection() as session:
            assert await session.fetchval("SHOW synchronous_commit") == used


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
async def test_what_waited_for_a_lock_sees_what_was_done_before_whatever_the_database_prefers(
    database: Database, level: str
) -> None:
    """Two replicas ask for a learner's quota at once: the second one counts the first one's."""
    key = DocumentKey("state", activity="a", agent="ana", registration="r")
    quota = DocumentAmounts(1, 1_000, 1, 1_000)
    document = Document("text/plain", b"x", "", 1)
    async with fresh_database(database) as dsn:
        name = name_of(dsn)
        await execute(dsn, f"ALTER DATABASE {name} SET default_transaction_isolation = '{level}'")
        async with opened(dsn) as store, opened(dsn) as other:
            lock = SQL["lock_agent"].replace("$1::text", "'ana'")
            async with other._pool.connection() as session, session.transaction():
                await session.execute(lock)
                waiting = asyncio.create_task(
                    store.change_document_within(
                        replace(key, name="second"), quota, lambda _old: (document, None)
                    )
                )
                is_waiting = (
                    "SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid "
                    "WHERE datname = current_database() AND NOT granted"
                )
                async with asyncio.timeout(PATIENCE):
                    while not await session.fetchval(is_waiting):  # noqa: ASYNC110 - the server knows
                        await asyncio.sleep(0.02)
                values = "state", "a", "ana", "r", "first", "text/plain", b"x", "", 1
                await session.execute(SQL["save_document"], *values)
            assert await waiting == OverQuota("registration_documents", 1)


async def test_sessions_that_turn_read_only_while_they_are_open_are_all_replaced(
    database: Database,
) -> None:
    async with fresh_database(database) as dsn, opened(dsn, connections=4) as store:

        async def at_once(number: int) -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(number):
                    group.create_task(
                        store._pool.transaction(
                            lambda db: db.execute(
                                "SELECT set_config('default_transaction_read_only', 'on', false)"
                            )
                        )
                    )

        await at_once(4)
        await post(store)  # on a new session, without an error
        assert await count(store) == 1


@pytest.mark.parametrize(
    "damage",
    [
        "DEALLOCATE ALL",
        "DISCARD ALL",
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "SET SESSION default_transaction_read_only = on",
    ],
)
async def test_a_session_that_was_damaged_between_two_posts_costs_no_error(
    database: Database, damage: str
) -> None:
    async with fresh_database(database) as dsn, opened(dsn) as store:
        await post(store)
        with pytest.raises(StoreUnavailable) if "terminate" in damage else nullcontext():
            async with store._pool.connection() as session:
                await session.execute(damage)
        await post(store)
        assert await count(store) == 2


async def test_a_plan_that_a_change_of_the_schema_broke_is_made_anew(database: Database) -> None:
    async with fresh_database(database) as dsn, opened(dsn) as store:
        async with store._pool.connection() as session:
            await session.execute("CREATE TABLE t (a integer); INSERT INTO t VALUES (1)")

        async def look(session: Any) -> int:
            row = await session.fetchrow("SELECT * FROM t")
            return len(row)

        assert await store._pool.transaction(look) == 1
        await execute(dsn, "ALTER TABLE t ADD COLUMN b integer")
        assert await store._pool.transaction(look) == 2


async def test_a_commit_that_nobody_answered_is_not_repeated_by_us(database: Database) -> None:
    """Whether it was done is found out by the sender, who repeats with the same ids."""
    async with fresh_database(database) as dsn, opened(dsn) as store:
        await execute(
            dsn,
            "CREATE FUNCTION end_it() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
            "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON statements"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION end_it()",
        )
        again = wants(change("ana", topic("t"), 10))
        with pytest.raises(StoreUnavailable, match="did not say whether it committed"):
            await store.ingest([again])
        await execute(dsn, "DROP TRIGGER at_commit ON statements")
        await store.ingest([again])
        await store.ingest([again])
        assert await count(store) == 1


async def test_settings_are_those_of_every_session(database: Database) -> None:
    async with fresh_database(database) as dsn, opened(dsn) as store:
        for _ in range(3):  # also after a session was given back

            async def look(session: Any) -> tuple[str, ...]:
                row = await session.fetchrow(
                    "SELECT current_setting('enable_seqscan'), current_setting('jit')"
                )
                return tuple(row)

            assert await store._pool.read(look) == ("off", "off")


async def test_a_machine_that_is_gone_without_a_word_is_given_up_after_five_seconds(
    database: Database,
) -> None:
    """By the kernel, whatever a statement may take; no such machine is to be had here."""
    async with (
        fresh_database(database) as dsn,
        opened(dsn) as store,
        store._pool.connection() as session,
    ):
        sock = session._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        idle, interval, tries, patience = (
            sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names
        )
        assert (idle + interval * tries, patience) == (5, 5_000)


async def test_of_several_hosts_the_one_that_takes_writes_is_used(
    own_database_server: Server,
) -> None:
    with standby_of(own_database_server) as standby:
        hosts = f"{standby.host},{own_database_server.host}"
        dsn = f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write"
        async with opened(dsn) as store:
            await post(store)
        assert await ask(own_database_server.dsn, "SELECT count(*) FROM statements") == 1


async def test_a_standby_alone_is_waited_for(own_database_server: Server) -> None:
    with (
        standby_of(own_database_server) as standby,
        pytest.raises(StoreUnavailable, match="takes no writes: its server is a standby"),
    ):
        await PostgresStore(standby.dsn, beside=True).open()


async def test_a_host_that_says_nothing_holds_up_nothing(database: Database) -> None:
    async with fresh_database(database) as dsn:
        with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel connects, and no more
            both = dsn.replace("@", f"@127.0.0.1:{silent.getsockname()[1]},")
            async with asyncio.timeout(10), opened(both) as store:
                await post(store)


async def test_a_server_that_falls_silent_costs_one_wait_and_not_one_for_each_session(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman.store.postgres.session.PATIENCE", 0.5)
    monkeypatch.setattr("pointsman.store.postgres.pool._CANCEL", 0.1)
    parts = urlsplit(database.dsn)
    async with (
        fresh_database(database) as dsn,
        Pipe(str(parts.hostname), parts.port or 5432) as pipe,
        opened(dsn.replace("@", f"@127.0.0.1:{pipe.port},"), connections=4) as store,
    ):

        async def rest(session: Any) -> None:
            await session.execute("SELECT pg_sleep(0.05)")

        await asyncio.gather(*(store._pool.transaction(rest) for _ in range(4)))
        pipe.fall_silent()
        with pytest.raises(StoreUnavailable, match="TimeoutError"):
            await post(store)
        for _ in range(4):
            await post(store)  # by the other way
        assert await count(store) == 4


async def test_where_no_more_sessions_can_be_had_those_that_are_open_are_waited_for(
    own_database_server: Server,
) -> None:
    server = own_database_server
    await execute(
        server.dsn, "CREATE ROLE pm LOGIN CONNECTION LIMIT 2", "CREATE DATABASE pm OWNER pm"
    )
    async with opened(f"postgresql://pm@{server.host}/pm", connections=8) as store:

        async def rest(session: Any) -> None:
            await session.execute("SELECT pg_sleep(0.05)")

        await asyncio.gather(*(store._pool.transaction(rest) for _ in range(8)))


async def test_where_not_one_session_can_be_had_the_setting_is_named(
    own_database_server: Server,
) -> None:
    server = own_database_server
    await execute(
        server.dsn, "CREATE ROLE pm LOGIN CONNECTION LIMIT 0", "CREATE DATABASE pm OWNER pm"
    )
    with pytest.raises(StoreUnavailable, match=r"too many connections.*store\.connections"):
        await PostgresStore(f"postgresql://pm@{server.host}/pm", beside=True).open()


@pytest.mark.parametrize("mode", ["session"])
async def test_it_runs_behind_pgbouncer(own_database_server: Server, mode: str) -> None:
    """Case 18."""
    with bouncer(own_database_server, mode) as dsn:
        async with opened(dsn) as store:
            await post(store)

            async def look(session: Any) -> str:
                return str(await session.fetchval("SELECT current_setting('enable_seqscan')"))

            assert await store._pool.read(look) == "off"
            assert await count(store) == 1


@pytest.mark.parametrize("mode", ["transaction", "statement"])
async def test_a_pooler_that_shares_sessions_is_refused_at_the_start(
    own_database_server: Server, mode: str
) -> None:
    with bouncer(own_database_server, mode) as dsn:
        reason = await refusal(dsn)
    assert "pool_mode = session" in reason or "session mode" in reason


async def test_a_parameter_that_a_pooler_refuses_is_named(own_database_server: Server) -> None:
    with bouncer(own_database_server, "session") as dsn:
        reason = await refusal(f"{dsn}?search_path=elsewhere")
    assert "unsupported startup parameter: search_path" in reason
    assert "store.url" in reason


async def test_the_password_is_read_again_for_each_new_connection(
    own_database_server: Server, tmp_path: Path
) -> None:
    """Case 19."""
    change_password = await asyncio.to_thread(with_password, own_database_server, "first-pw-1")
    file = tmp_path / "password"
    file.write_text("first-pw-1\n")
    dsn = f"postgresql://{ROLE}@{own_database_server.host}/{ROLE}"
    async with opened(dsn, password=reader(file)) as store:
        await post(store)
        await asyncio.to_thread(change_password, "second-pw-2")
        await execute(own_database_server.dsn, end_sessions(ROLE))
        with pytest.raises(StoreRefuses, match=r"password authentication.*store.password_file"):
            await post(store)
        file.write_text("second-pw-2\n")
        await post(store)
        file.unlink()
        await post(store)  # sessions that are open need no password
        await execute(own_database_server.dsn, end_sessions(ROLE))
        with pytest.raises(StoreUnavailable, match=r"store\.password_file"):
            await post(store)
        file.write_text("second-pw-2\n")
        await post(store)
        assert await count(store) == 4
    assert "store.password_file" in await refusal(dsn, password=lambda: "wrong")


def reader(path: Path) -> Callable[[], str]:
    def read() -> str:
        try:
            return path.read_text().strip()
        except OSError as error:
            raise ValueError(f"{path} can't be read: {error.strerror}") from None

    return read


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
async def test_a_database_that_can_not_hold_every_character_is_refused_by_name(
    database: Database, encoding: str
) -> None:
    """Case 35."""
    name = f"narrow_{encoding.lower()}"
    await execute(
        database.dsn,
        f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0"
        " LC_COLLATE 'C' LC_CTYPE 'C'",
    )
    try:
        reason = await refusal(f"{database.dsn.rpartition('/')[0]}/{name}")
    finally:
        await execute(database.dsn, f"DROP DATABASE {name} WITH (FORCE)")
    assert f"{name} has the encoding {encoding}" in reason
    assert "ENCODING 'UTF8'" in reason


@pytest.mark.parametrize(
    ("change_url", "says"),
    [
        (lambda url: url + "_gone", ("does not exist", "CREATE DATABASE")),
        (lambda url: url.replace("postgres@", "nobody@"), ("nobody", "store.url")),
        (lambda url: f"{url}?connect_timeout=3", ("connect_timeout", "store.url")),
        (lambda url: f"{url}?sslmode=require", ("SSL", "sslmode")),
        (lambda url: f"{url}?sslmode=nope", ("sslmode", "store.url")),
        (
            lambda url: f"{url}?sslmode=verify-full&sslrootcert=/nope.pem",
            ("No such file", "sslrootcert"),
        ),
    ],
)
async def test_what_time_does_not_mend_ends_the_start_at_once(
    own_database_server: Server, change_url: Callable[[str], str], says: tuple[str, str]
) -> None:
    reason = await refusal(change_url(own_database_server.dsn))
    for words in says:
        assert words in reason


async def test_a_role_that_may_make_no_tables_ends_the_start_at_once(
    own_database_server: Server,
) -> None:
    server = own_database_server
    await execute(
        server.dsn, "CREATE ROLE guest LOGIN", "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    )
    reason = await refusal(f"postgresql://guest@{server.host}/postgres")
    assert "permission denied for schema public" in reason
    assert "USAGE and CREATE" in reason


async def test_a_search_path_that_leads_nowhere_ends_the_start_at_once(
    own_database_server: Server,
) -> None:
    server = own_database_server
    await execute(server.dsn, "ALTER ROLE postgres SET search_path = nowhere")
    reason = await refusal(server.dsn)
    assert "search_path" in reason


@pytest.mark.parametrize(
    ("wound", "cure", "says"),
    [
        ("ALTER SCHEMA public RENAME TO old", "ALTER SCHEMA old RENAME TO public", "search_path"),
        ("ALTER ROLE pm RENAME TO px", "ALTER ROLE px RENAME TO pm", 'role "pm" does not exist'),
        ("ALTER ROLE pm NOLOGIN", "ALTER ROLE pm LOGIN", "not permitted to log in"),
        (
            "REVOKE INSERT ON statements FROM pm",
            "GRANT INSERT ON statements TO pm",
            "permission denied",
        ),
    ],
)
async def test_a_refusal_while_it_runs_is_told_as_one_and_the_cure_is_seen(
    own_database_server: Server, wound: str, cure: str, says: str
) -> None:
    server = own_database_server
    await execute(server.dsn, "CREATE ROLE pm LOGIN", "CREATE DATABASE pm OWNER pm")
    admin = f"postgresql://postgres@{server.host}/pm"
    async with opened(f"postgresql://pm@{server.host}/pm") as store:
        await post(store)
        await execute(admin, wound, end_sessions("pm"))
        for _ in range(2):
            with pytest.raises(StoreRefuses, match=says):
                await post(store)
        await execute(admin, cure)
        await post(store)
        assert await count(store) == 2


async def test_a_certificate_that_is_replaced_by_one_of_a_stranger_is_refused_and_named(
    own_database_server: Server, tmp_path: Path
) -> None:
    server = own_database_server
    ours = authority(tmp_path / "ca.pem")
    await with_tls(server, ours)
    dsn = f"{server.dsn}?sslmode=verify-full&sslrootcert={tmp_path / 'ca.pem'}"
    await until(server.dsn, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    async with opened(dsn) as store:
        await post(store)
        for signer, fits in ((authority(tmp_path / "other.pem"), False), (ours, True)):
            await with_tls(server, signer)
            await execute(server.dsn, end_sessions("postgres"))
            if fits:
                await post(store)
                continue
            with pytest.raises(StoreRefuses, match=r"certificate verify failed.*sslrootcert"):
                await post(store)
