"""The demo's processes: the real `pointsman` command, started and ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Protocol

from demo.children import Child

#: seconds in which what must come does come, however busy the machine is
PATIENCE = 240.0


#: ports that Linux gives to no outgoing connection
_PORTS = range(20_000, 32_000)


#: files whose locks say that a process of this machine has chosen the port, open until it ends
_chosen: list[IO[bytes]] = []


def free_port() -> int:
    """A port that nobody listens on, and that nobody else who calls this gets meanwhile."""
    while True:
        port = secrets.choice(_PORTS)
        lock = (Path(tempfile.gettempdir()) / f"pointsman-port-{port}").open("wb")
        with socket.socket() as probe, contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            probe.bind(("127.0.0.1", port))
            _chosen.append(lock)
            return port
        lock.close()


@contextlib.contextmanager
def pointsman(arguments: Sequence[str], log: Path, ready: str) -> Iterator[Child]:
    """`pointsman ARGUMENTS`, up when `ready` answers; ended with SIGTERM, and at last SIGKILL."""
    process = start(arguments, log, ready)
    try:
        yield process
    finally:
        stop(process)


def start(arguments: Sequence[str], log: Path, ready: str) -> Child:
    """Start `pointsman ARGUMENTS`, its output appended to `log`, and wait for `ready`."""
    with log.open("ab") as output:
        process = Child(
            [sys.executable, "-m", "pointsman", *arguments],
            output=output,
            env={name: value for name, value in os.environ.items() if "POINTSMAN_" not in name},
        )
    try:
        wait_until_up(process, lambda: answers(ready))
    except NotUp as reason:
        raise CannotStart(
            f"pointsman {' '.join(arguments)} {reason}; the end of its log:\n"
            + log.read_text(encoding="utf-8", errors="replace")[-4000:]
        ) from None
    except BaseException:
        stop(process)
        raise
    return process


class CannotStart(RuntimeError):
    """A process did not come up; the text has the end of its log, which says why."""


class NotUp(Exception):
    """A process that has ended, or does not answer; the text goes on after its name."""


class Process(Protocol):
    """What is asked of a process here."""

    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def kill(self) -> None: ...


def wait_until_up(process: Process, is_up: Callable[[], bool]) -> None:
    """Wait as long as the process lives. One that raises `NotUp` has ended."""
    deadline = time.monotonic() + PATIENCE
    while not is_up():
        if process.poll() is not None:
            raise NotUp(f"ended with {process.returncode} before it was up")
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise NotUp(f"did not come up in {PATIENCE:g} s")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether a GET gets a 2xx."""
    with contextlib.suppress(urllib.error.URLError, OSError):
        urllib.request.urlopen(url, timeout=10).close()  # noqa: S310 - our own loopback
        return True
    return False


def stop(process: Process) -> int:
    """End it with SIGTERM, and after 30 seconds with SIGKILL; its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
