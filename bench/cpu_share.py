"""Gives a process a share of one core, as if the machine had more of them: cgroups of Linux.

Needs the right to make a cgroup; `limited` says whether it could.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

_V1, _V2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
#: microseconds; short, so that a process that has used up its share waits for little
_PERIOD = 10_000


@contextlib.contextmanager
def limited(pid: int, share: float) -> Iterator[bool]:
    """Within the block the process, all its threads together, gets `share` of a core at most."""
    parent = _V1 if (_V1 / "cgroup.procs").exists() else _V2
    group, quota = parent / f"pointsman-bench-{pid}", round(share * _PERIOD)
    try:
        group.mkdir()
    except OSError:
        yield False
        return
    try:
        if parent is _V1:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD), encoding="ascii")
            (group / "cpu.cfs_quota_us").write_text(str(quota), encoding="ascii")
        else:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD}", encoding="ascii")
        (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
    except OSError:
        group.rmdir()
        yield False
        return
    try:
        yield True
    finally:
        with contextlib.suppress(OSError):  # the process may have ended
            (parent / "cgroup.procs").write_text(str(pid), encoding="ascii")
        group.rmdir()
