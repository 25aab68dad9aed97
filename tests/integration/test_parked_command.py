"""`pointsman parked`: see what can't be sent, and send it once the cause is mended."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointsman.cli import app
from pointsman.domain.park_codes import ParkCode
from pointsman.store.base import Settlement
from pointsman.store.sqlite import SqliteStore
from tests.support.change_factory import change, topic, wants
from tests.support.command_config import COMMAND_CONFIG


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    """A database with one parked topic of each of two learners, for different reasons."""
    path = tmp_path / "pointsman.toml"
    path.write_text(COMMAND_CONFIG)
    store = SqliteStore(tmp_path / "books.db")
    await store.open()
    reasons = {
        "ana@example.com": (ParkCode.REFUSED_BY_PLATFORM, "refused: NOT_FOUND: no topic"),
        "ben@example.com": (ParkCode.NO_TOKEN, "token: none"),
    }
    await store.ingest([wants(change(who, topic("t"), 50)) for who in reasons])
    for lease in await store.lease(now=1, ttl=1, limit=9):
        (row,) = lease.desired
        code, reason = reasons[lease.recipient.id]
        parked = Settlement(row.target, row.version, "parked", reason, code)
        assert await store.settle(lease, [parked], now=1, ready_at=1)
    await store.close()
    return path


def _run(*arguments: str, code: int = 0) -> str:
    with ThreadPoolExecutor(1) as other:  # a test may have a loop of its own
        result = other.submit(CliRunner().invoke, app, arguments).result()
    assert result.exit_code == code, result.output
    return result.output


def test_what_is_parked_is_listed_with_its_reason(config: Path) -> None:
    found = json.loads(_run("parked", "list", "--json", "-c", str(config)))
    assert [(one["learner"], one["code"], one["reason"]) for one in found] == [
        ("ana@example.com", "refused_by_platform", "refused: NOT_FOUND: no topic"),
        ("ben@example.com", "no_token", "token: none"),
    ]
    only = json.loads(
        _run("parked", "list", "--json", "--learner", "ben@example.com", "-c", str(config))
    )
    assert [one["learner"] for one in only] == ["ben@example.com"]


async def test_what_is_retried_is_queued_for_delivery_again(config: Path) -> None:
    assert "1 freed" in _run("parked", "retry", "--reason", "refused: ", "-c", str(config))
    store = SqliteStore(config.parent / "books.db")
    await store.open()
    books = await store.books()
    assert (books.dirty, books.parked, books.balanced) == (1, 1, True)
    (lease,) = await store.lease(now=2, ttl=1, limit=9)
    assert lease.recipient.id == "ana@example.com"
    await store.close()
    assert "Nothing is parked" in _run("parked", "list", "--reason", "refused", "-c", str(config))


async def test_what_is_dropped_is_in_the_books_by_that_name(config: Path) -> None:
    before = json.loads(_run("verify", "--json", "-c", str(config)))
    assert before["desired"]["total"] == before["desired"]["parked"] == 2
    asked = ("parked", "drop", "-c", str(config))
    _run(*asked, code=2)
    assert "0 dropped" in _run(*asked, "--key", "no such", "--yes")
    assert "Drop 1 for good?" in _run(*asked, "--reason", "refused: ", code=1)
    assert "1 dropped" in _run(*asked, "--reason", "refused: ", "--yes")
    after = json.loads(_run("verify", "--json", "-c", str(config)))
    assert after["balanced"]
    assert {name: count for name, count in after["desired"].items() if count} == {
        "total": 2,
        "parked": 1,
        "dropped": 1,
    }
    assert "dropped" in _run("verify", "-c", str(config))
    assert "1 dropped" in _run(*asked, "--key", "t", "--yes")
    activity = json.loads(_run("activity", "--kind", "parked drop", "--json", "-c", str(config)))
    assert [action["outcome"] for action in activity] == ["1 dropped", "1 dropped", "0 dropped"]


def test_what_is_not_shown_is_told(config: Path) -> None:
    shown = _run("parked", "list", "--limit", "1", "-c", str(config))
    assert "This is the first one; --limit shows more." in shown
    assert "--limit" not in _run("parked", "list", "--limit", "2", "-c", str(config))
