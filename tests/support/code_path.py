"""Which files of ours run code while a block runs, in this thread and those that it starts."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pointsman

_ROOT = f"{Path(pointsman.__file__).parent}/"


@contextmanager
def files_executed() -> Iterator[set[str]]:
    """The files under src/pointsman whose functions are called within, relative to it.

    What a file does when it is imported does not count. The set may be cleared in between, to
    leave out what came before.
    """
    executed: set[str] = set()

    def on_event(frame: FrameType, event: str, _argument: object) -> None:
        path = frame.f_code.co_filename
        if event == "call" and path.startswith(_ROOT) and frame.f_code.co_name != "<module>":
            executed.add(path.removeprefix(_ROOT))

    threading.setprofile(on_event)
    sys.setprofile(on_event)
    try:
        yield executed
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
