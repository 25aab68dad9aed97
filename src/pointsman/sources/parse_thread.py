"""Large inputs are parsed and decided about in threads of their own, so that the loop goes on.

What runs there shares nothing but what says that threads may share it. Python gives each thread its
turn, so a probe is answered beside any of them (docs/design.md, "The longest pause").
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

#: bytes that are dealt with in the loop's own thread, in a few milliseconds
LARGE = 32_768
#: two, so that one huge input does not hold up all that are merely large
_THREADS = ThreadPoolExecutor(2, "pointsman-parse")


async def in_thread(call: Callable[[], T]) -> T:
    """What `call` returns or raises."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, call)


class OfLoop:
    """Calls that belong to the loop's thread, from whichever thread they come."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def call(self, hook: Callable[[], None]) -> None:
        """At once in the loop's thread; from another one before what that thread returns.

        Where no loop was seen, as in a command that has none yet, at once.
        """
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(hook)
                return
        hook()
