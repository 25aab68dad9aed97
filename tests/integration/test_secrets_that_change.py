"""Secrets that are replaced while the daemon runs: each is used anew, without a restart."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import jwt
import pytest
import structlog

from demo.database import Server
from demo.processes import PATIENCE
from pointsman.config import Settings, load
from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import StoreUnavailable, Unauthorized
from pointsman.domain.park_codes import CURED_BY_TOKEN
from pointsman.secret_values import FileSecret
from pointsman.sources.http.authorization import Authenticator
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.sources.players.credentials import CredentialIssuer, Purpose
from pointsman.store.postgres import PostgresStore
from pointsman.wiring.adapters import webhook_sources
from pointsman.wiring.http import http_sources
from tests.support.file_changes import in_place, rename_over, turn_data_link
from tests.support.launch_factory import launch
from tests.support.running_daemon import running
from tests.support.statement_ids import IDS
from tests.support.store_queries import list_parked

ANA, BEN = "ana@example.com", "ben@example.com"
WAYS = (in_place, rename_over, turn_data_link)
RULES = """
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""
CONFIG = """
[platform]
url = "https://learn.example.com"
api_key = "key"
[[sources.http]]
name = "player"
credentials = [{ key = "web", secret_file = "a/secret" }, { bearer_file = "a/secret" }]
[[sources.webhooks]]
name = "lms"
secret_file = "a/secret"
signature = {}
learner = "user"
activity = "https://lms.example.com/{course}"
[launches]
public_url = "https://pointsman.example.com"
operators = [{ bearer = "operator" }]
signing_key_file = "a/secret"
[learners.tokens]
launches = true
encryption_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
"""
#: the launches of tests have expired
DECODE: dict[str, Any] = {
    "algorithms": ["HS256"],
    "options": {"verify_exp": False, "verify_aud": False, "verify_iat": False},
}
FIRST, SECOND = ("first-secret-" * 3, "second-secret-" * 3)


async def eventually(ready: Callable[[], bool]) -> None:
    """Files are looked at once a second."""
    async with asyncio.timeout(PATIENCE):
        while not ready():  # noqa: ASYNC110 - files send no signal
            await asyncio.sleep(0.05)


def settings(tmp_path: Path, change: Callable[[Path, str], Path]) -> Settings:
    (tmp_path / "a").mkdir()
    change(tmp_path / "a", FIRST)
    (tmp_path / "pointsman.toml").write_text(CONFIG)
    return load(tmp_path / "pointsman.toml")


@pytest.mark.parametrize("change", WAYS)
async def test_what_senders_show_and_what_signs_is_that_of_the_file(
    tmp_path: Path, change: Callable[[Path, str], Path]
) -> None:
    made = settings(tmp_path, change)
    assert made.launches is not None
    authenticator = Authenticator(http_sources(made), FailedAttempts(100_000, SystemClock()))
    verifier = webhook_sources(made.sources, IDS)[0].verifier
    issuer = CredentialIssuer(made.launches.signing_keys, SystemClock())

    def takes(secret: str) -> bool:
        """Whether all that is made with this secret is taken, or nothing of it."""
        pair = base64.b64encode(f"web:{secret}".encode()).decode()
        results = []
        for header in (f"Basic {pair}", f"Bearer {secret}"):
            try:
                results.append(authenticator.source(header, "192.0.2.1") == "player")
            except Unauthorized:
                results.append(False)
        results.append(bool({secret.encode()} & {*verifier.keys()}))
        token = issuer.issue(launch(), Purpose.XAPI)
        try:
            jwt.decode(token, secret, **DECODE)
            results.append(True)
        except jwt.InvalidSignatureError:
            results.append(False)
        return all(results)

    assert takes(FIRST)
    change(tmp_path / "a", SECOND)
    await eventually(lambda: takes(SECOND))
    assert not takes(FIRST)
    # half a key is no key: the one of before stays in force
    with structlog.testing.capture_logs() as logs:
        change(tmp_path / "a", "short")

        def is_told() -> bool:
            jwt.decode(issuer.issue(launch(), Purpose.XAPI), SECOND, **DECODE)
            return any("stays in force" in line["event"] for line in logs)

        await eventually(is_told)
    assert "short" not in str(logs)


async def test_a_mounted_token_file_that_is_replaced_is_read_again(tmp_path: Path) -> None:
    """Kubernetes turns the link ..data, and removes the folder of before."""
    mounted = tmp_path / "tok"
    mounted.mkdir()
    turn_data_link(mounted, json.dumps({ANA: "none"}), "tokens.json")
    async with running(tmp_path, RULES, tokens='file = "tok/tokens.json"') as world:
        await world.say("completed", "https://content.example.com/topic_demo_1", BEN)
        database = tmp_path / "pointsman.db"
        await world.until(lambda: bool(list_parked(database, CURED_BY_TOKEN)))
        tokens = {who: world.emulator.issue_token(who) for who in (ANA, BEN)}
        turn_data_link(mounted, json.dumps(tokens), "tokens.json")
        await world.say("completed", "https://content.example.com/topic_demo_2", ANA)
        await world.until(lambda: len(world.ran) == 2)
        assert list_parked(database) == []


async def test_the_platforms_key_is_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("first-key")
    (tmp_path / "pointsman.toml").write_text(
        CONFIG.replace('api_key = "key"', 'api_key_file = "key"').replace("a/secret", "long")
    )
    (tmp_path / "long").write_text(FIRST)
    key = load(tmp_path / "pointsman.toml").platform.api_key
    assert isinstance(key, FileSecret)
    (tmp_path / "key").write_text("second-key")
    await eventually(lambda: key.get_secret_value() == "second-key")
    (tmp_path / "key").write_text("a key with\na break")
    await asyncio.sleep(0)
    assert key.get_secret_value() == "second-key"


def ask_for_password(hba: Path, role: str) -> None:
    hba.write_text(f"host all {role} 127.0.0.1/32 scram-sha-256\n" + hba.read_text())


async def test_a_database_password_is_asked_for_at_each_new_connection(
    own_database_server: Server, tmp_path: Path
) -> None:
    server = own_database_server
    admin = await asyncpg.connect(server.dsn)
    try:
        await admin.execute("CREATE ROLE rotated LOGIN PASSWORD 'first-pw-1'")
        await admin.execute("CREATE DATABASE rotating OWNER rotated")
        ask_for_password(Path(await admin.fetchval("SHOW hba_file")), "rotated")
        await admin.execute("SELECT pg_reload_conf()")
        (tmp_path / "password").write_text("first-pw-1\n")
        secret = FileSecret(tmp_path / "password")
        dsn = server.dsn.replace("postgres@", "rotated@").replace("/postgres", "/rotating")
        store = PostgresStore(dsn, password=secret.get_secret_value)
        await store.open()
        try:
            await admin.execute("ALTER ROLE rotated PASSWORD 'second-pw-2'")
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotated'"
            )
            with pytest.raises(StoreUnavailable):
                await store.next_ready_at()
            (tmp_path / "password").write_text("second-pw-2\n")
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        assert await store.next_ready_at() is None
                    except StoreUnavailable:
                        await asyncio.sleep(0.1)
                    else:
                        break
        finally:
            await store.close()
    finally:
        await admin.close()
