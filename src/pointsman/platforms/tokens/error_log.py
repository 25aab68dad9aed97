"""Exceptions that no one expected: counted, told with their cause, and survived."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import structlog

from pointsman.domain.log_steps import REPORT_IT

log = structlog.get_logger(__name__)


class ErrorLog:
    """For a task that goes on whatever happens. The same error in a row is told once."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._last = ""
        self.count = 0

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """What is raised inside ends here, but for what ends the task itself."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the task has to outlive it
            self.tell(error)

    def tell(self, error: Exception) -> None:
        """Count it, and log it where it is another one than before."""
        self.count += 1
        words = f"{type(error).__name__}: {error}"
        if words != self._last:
            self._last = words
            log.error(self._words, exc_info=error, errors=self.count, next=REPORT_IT)
