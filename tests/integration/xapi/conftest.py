"""xAPI's demands, section by section, on the real application over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.http_endpoint import Endpoint, running


@pytest.fixture(params=["1.0.3", "2.0.0"])
async def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Endpoint]:
    """Empty, and spoken to in each version."""
    async with running(tmp_path, request.param) as endpoint:
        yield endpoint


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """Empty, and spoken to in 1.0.3."""
    async with running(tmp_path) as endpoint:
        yield endpoint


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """Empty, and spoken to in 2.0.0."""
    async with running(tmp_path, "2.0.0") as endpoint:
        yield endpoint
