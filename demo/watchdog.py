"""`python watchdog.py` ends the processes that its standard input names when that input closes.

Run by `demo.children`. The input is a pipe from the parent, so it closes when the parent ends,
however that happens. A line `+ PID SIGNAL` adds a process, and `- PID` takes it away.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

#: seconds between a process's own signal and SIGKILL
_GRACE = 30.0


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: dict[int, int] = {}
    for line in sys.stdin:
        what, pid, *how = line.split()
        if what == "+":
            watched[int(pid)] = int(how[0])
        else:
            watched.pop(int(pid), None)
    for pid, number in watched.items():
        _send(pid, number)
    deadline = time.monotonic() + _GRACE
    while watched and time.monotonic() < deadline:
        time.sleep(0.05)
        watched = {pid: number for pid, number in watched.items() if _send(pid, 0)}
    for pid in watched:
        _send(pid, signal.SIGKILL)


def _send(pid: int, number: int) -> bool:
    """Whether the process is there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


if __name__ == "__main__":
    main()
