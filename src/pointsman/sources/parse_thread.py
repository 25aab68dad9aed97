"""Large inputs are parsed and decided about in threads of their own, so that the loop goes on.

What runs there is pure, but for hooks and caches that say that any thread may call them. Python
gives each thread its turn, so a probe is answered beside any of them (docs/design.md, "The longest
pause").
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


async def in_thread_if_large(size: int, call: Callable[[], T]) -> T:
    """What `call` returns or raises, for an input of `size` bytes."""
    return await in_thread(call) if size > LARGE else call()
