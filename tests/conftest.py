"""What tests with real servers share."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import server_report
from tests.support.brokers import broker, own_kafka_server, topic
from tests.support.databases import database, own_database_server
from tests.support.small_disk import small_disk

__all__ = [
    "broker",
    "database",
    "own_database_server",
    "own_kafka_server",
    "small_disk",
    "topic",
]


# a busy machine makes an example slow, and is no failure
settings.register_profile("pointsman", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pointsman")

# the secrets of tests are there to be read; what is refused has tests of its own
os.environ.setdefault("POINTSMAN_ALLOW_WEAK_SECRETS", "true")

#: set where every tool must be there, as in CI
_NO_SKIP = "POINTSMAN_TEST_NO_SKIP"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where nothing may be skipped, a skip is a failure that says what the test needs."""
    report = yield
    if report.skipped and os.environ.get(_NO_SKIP) and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{_NO_SKIP} is set, and this test was skipped. {reason}"
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    server_report.tell_controller(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist has ended."""
    server_report.add_from_worker(node.config, getattr(node, "workeroutput", {}))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which servers were used."""
    server_report.report(terminalreporter, config)
