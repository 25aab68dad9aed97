"""How much work is done while a block runs, in calls of our functions: equal on every machine."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pointsman

_ROOT = f"{Path(pointsman.__file__).parent}/"


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """By file and function, in this thread and those that it starts.

    A generator or coroutine counts each time that it goes on. The counter may be cleared in
    between, to leave out what came before.
    """
    calls: Counter[str] = Counter()

    def on_event(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and (path := frame.f_code.co_filename).startswith(_ROOT):
            calls[f"{path.removeprefix(_ROOT)} {frame.f_code.co_name}"] += 1

    threading.setprofile(on_event)
    sys.setprofile(on_event)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
