"""Tells being cancelled from waiting for something that was cancelled by somebody else.

Both raise `CancelledError`, which passes every `except Exception`: what is not our own end would
end a part of the daemon without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from pointsman.domain.errors import Bug


class AwaitedCancelled(Bug):
    """What was waited for was cancelled, and this task was not."""


@contextmanager
def only_own_cancellation() -> Iterator[None]:
    """Within, a cancellation that is not this task's raises `AwaitedCancelled`."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise AwaitedCancelled from error
