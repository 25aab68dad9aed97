"""What tests with real servers share."""

from __future__ import annotations

import pytest

from tests.support.brokers import broker, report, topic

__all__ = ["broker", "topic"]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say which broker served."""
    report(terminalreporter, config)
