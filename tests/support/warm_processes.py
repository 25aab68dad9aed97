"""`pointsman` as a process of its own, forked from one that has imported it already.

Importing takes a second of CPU, and fleets start some two hundred processes. What is forked has its
own memory, descriptors, signals and end, as a process that was started has.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from demo.processes import answers, stop, wait_until_up

#: what is imported once; modules that tests patch are among them, the patches are not
_MODULES = [
    "pointsman.app",
    "pointsman.cli",
    "pointsman.cli.emulate",
    "pointsman.cli.run",
    "pointsman.cli.verify",
    "pointsman.emulator.server",
    "pointsman.process",
]


@functools.cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_MODULES)
    return context


class WarmChild:
    """`python -m MODULE ARGUMENTS`, with what tests use of `subprocess.Popen`.

    Its output is appended to `log`. It ends with the process of the test.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._process: ForkServerProcess = _context().Process(
            target=_run, args=(list(command), str(log)), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid
        # the exit code is read once, from a pipe
        self._lock = threading.Lock()

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        if not self._lock.acquire(blocking=False):
            return None  # another thread waits for it
        try:
            return self._process.exitcode
        finally:
            self._lock.release()

    def wait(self, timeout: float | None = None) -> int:
        with self._lock:
            self._process.join(timeout)
            code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@contextlib.contextmanager
def warm_pointsman(arguments: Sequence[str], log: Path, ready: str) -> Iterator[WarmChild]:
    """`pointsman ARGUMENTS`, up when `ready` answers; ended with the block."""
    process = WarmChild(["pointsman", *arguments], log)
    try:
        wait_until_up(process, lambda: answers(ready))
        yield process
    finally:
        stop(process)


def _run(command: list[str], log: str) -> None:
    """In the new process."""
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    for name in [name for name in os.environ if "POINTSMAN_" in name]:
        del os.environ[name]
    module, *sys.argv[1:] = command
    runpy.run_module(module, run_name="__main__", alter_sys=True)
