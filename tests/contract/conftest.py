"""The stores that the contract suites are run against."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pointsman.store.base import Store
from pointsman.store.sqlite import SqliteStore


@pytest.fixture(params=["sqlite", "sqlite in the loop's thread"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store, open."""
    made = SqliteStore(tmp_path / "store.db", threaded=request.param == "sqlite")
    await made.open()
    yield made
    await made.close()
