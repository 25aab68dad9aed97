"""The broker of the acceptance tests: the most real one that this machine can run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.broker import Broker, start_broker


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    with start_broker() as running:
        yield running
