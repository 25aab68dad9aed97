"""What tests with real servers share."""

from __future__ import annotations

import pytest

from tests.support import brokers, databases
from tests.support.brokers import broker, topic
from tests.support.databases import database

__all__ = ["broker", "database", "topic"]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say which servers served."""
    for one in (brokers, databases):
        one.report(terminalreporter, config)
