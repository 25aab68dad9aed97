"""The demo's processes: the real `pointsman` command, started and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

#: seconds that a process may take to answer
_PATIENCE = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def pointsman(arguments: Sequence[str], log: Path, ready: str) -> Iterator[subprocess.Popen[bytes]]:
    """`pointsman ARGUMENTS`, up when `ready` answers; ended with SIGTERM, and at last SIGKILL."""
    process = start(arguments, log, ready)
    try:
        yield process
    finally:
        stop(process)


def start(arguments: Sequence[str], log: Path, ready: str) -> subprocess.Popen[bytes]:
    """Start `pointsman ARGUMENTS`, its output appended to `log`, and wait for `ready`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pointsman", *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in os.environ.items() if "POINTSMAN_" not in name},
        )
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(ready, timeout=1).close()  # noqa: S310 - our own loopback
            return process
        time.sleep(0.05)
    process.kill()
    process.wait()
    raise RuntimeError(
        f"pointsman {' '.join(arguments)} did not come up; the end of its log:\n"
        + log.read_text(encoding="utf-8", errors="replace")[-4000:]
    )


def stop(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode
