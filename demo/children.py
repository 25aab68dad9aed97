"""Child processes that end with this process, however it ends.

A signal that ends this process first ends its children in order (`ended_by_signals`). Where that is
not possible, after SIGKILL for example, a watchdog process does it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

_WATCHDOG = Path(__file__).with_name("watchdog.py")
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
#: seconds between two looks at whether the parent is still there
_LOOK_EVERY = 0.5


class Child(subprocess.Popen[bytes]):
    """A process that the watchdog ends with `ends_at` when this process is gone."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        output: IO[bytes],
        ends_at: signal.Signals = signal.SIGTERM,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._is_watched = False
        with _signals.held_back():
            super().__init__(command, stdout=output, stderr=subprocess.STDOUT, env=env, cwd=cwd)
            _watchdog.write(f"+ {self.pid} {ends_at.value}\n")
            self._is_watched = True

    def poll(self) -> int | None:
        return self._ended(super().poll())

    def wait(self, timeout: float | None = None) -> int:
        code = super().wait(timeout)
        self._ended(code)
        return code

    def _ended(self, code: int | None) -> int | None:
        """The system may give the number to another process now."""
        if code is not None and self._is_watched:
            self._is_watched = False
            _watchdog.write(f"- {self.pid}\n")
        return code


class _Watchdog:
    """Started with the first child."""

    def __init__(self) -> None:
        self._pipe: int | None = None
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        with self._lock, contextlib.suppress(BrokenPipeError):
            if self._pipe is None:
                self._pipe = self._start()
            os.write(self._pipe, line.encode())

    @staticmethod
    def _start() -> int:
        """The end of the pipe that only this process has, and that closes when it ends."""
        its_input, ours = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_WATCHDOG)],
            stdin=its_input,
            start_new_session=True,  # Ctrl-C in a terminal is not meant for it
        )
        os.close(its_input)
        atexit.register(process.wait)
        atexit.register(os.close, ours)  # the last one registered runs first
        return ours


class _Signals:
    """The first signal raises `SystemExit`, once what is held back is done; more are ignored."""

    def __init__(self) -> None:
        self._holds = 0
        self._waiting: int | None = None
        self._raised = False

    def handle(self, number: int, _frame: FrameType | None) -> None:
        if self._holds:
            self._waiting = number
        elif not self._raised:
            self._raised = True
            raise SystemExit(128 + number)

    @contextlib.contextmanager
    def held_back(self) -> Iterator[None]:
        """Between these no child is started that nobody knows."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
        if (number := self._waiting) is not None:
            self._waiting = None
            self.handle(number, None)


_watchdog = _Watchdog()
_signals = _Signals()


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """In the block SIGTERM, SIGINT and SIGHUP raise `SystemExit`, so that it ends in order.

    The end of `make`, where that runs us, counts as SIGTERM.
    """
    before = {number: signal.signal(number, _signals.handle) for number in _SIGNALS}
    if "MAKELEVEL" in os.environ:
        threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)
