"""What tests with real servers share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import server_report
from tests.support.brokers import broker, topic
from tests.support.databases import database

__all__ = ["broker", "database", "topic"]


def pytest_sessionfinish(session: pytest.Session) -> None:
    server_report.tell_controller(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist has ended."""
    server_report.hear(node.config, getattr(node, "workeroutput", {}))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which servers server_report."""
    server_report.report(terminalreporter, config)
