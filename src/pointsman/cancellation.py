"""Tells being cancelled from waiting for something that was cancelled by somebody else.

Both raise `CancelledError`, which passes every `except Exception`: what is not our own end would
end a part of the daemon without a word.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from pointsman.domain.errors import Bug


class AwaitedCancelled(Bug):
    """What was waited for was cancelled, and this task was not."""


class OnlyOwnCancellation:
    """Within, a cancellation that is not this task's raises `AwaitedCancelled`.

    It has no state, for one is entered several times for each delivery.
    """

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, asyncio.CancelledError):
            return
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            raise AwaitedCancelled from error


only_own_cancellation = OnlyOwnCancellation()
