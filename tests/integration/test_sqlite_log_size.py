"""The log beside a SQLite file stays small, and gets small again after a long read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pointsman.store.sqlite import SqliteStore, schema
from tests.support.change_factory import item, new_id, submission

_PAGE, _FRAME = 4_096, 4_120
#: pages of the log, and what it is cut to, in this test
_PAGES, _LIMIT = 64, 100 * _FRAME


@pytest.fixture(autouse=True)
def small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "LOG_PAGES", _PAGES)
    monkeypatch.setattr(schema, "LOG_LIMIT", _LIMIT)


def _pages(log: Path) -> int:
    return log.stat().st_size // _FRAME


async def _pages_of_log(store: SqliteStore, path: Path, commits: int) -> int:
    """The most pages that the log has while bodies of two pages are stored, one in a commit."""
    most = 0
    for _ in range(commits):
        await store.ingest([submission(item(statement_id=new_id()), body=os.urandom(2 * _PAGE))])
        most = max(most, _pages(path))
    return most


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Something that goes on reading what is there now."""
    with closing(schema.connect(path, read_only=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM statements").fetchone()
        yield
        reader.execute("COMMIT")


async def test_the_log_is_bounded_and_is_cut_after_a_read_that_kept_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", threaded=False)
    log = tmp_path / "store.db-wal"
    await store.open()
    of_a_commit = 16
    assert await _pages_of_log(store, log, 40) <= _PAGES + 2 * of_a_commit
    with _reading(tmp_path / "store.db"):
        assert await _pages_of_log(store, log, 40) > 2 * _LIMIT // _FRAME
    # the read is over: it is written into the file, begins again, and is cut
    await _pages_of_log(store, log, 2)
    assert _pages(log) <= _LIMIT // _FRAME
    await store.close()
