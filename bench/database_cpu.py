"""What CPU a PostgreSQL on this machine has used: its own process and those of its connections."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from bench.bench_http import cpu_seconds


async def postmaster(dsn: str) -> int:
    """The process whose children are the database's."""
    connection = await asyncpg.connect(dsn)
    try:
        pid: int = await connection.fetchval("SELECT pg_backend_pid()")
        # its process is asked for its parent while it runs
        return _parent(pid)
    finally:
        await connection.close()


def _parent(pid: int) -> int:
    status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    return int(status.rpartition(")")[2].split()[1])


def cpu_with_children(pid: int) -> float:
    """Seconds of a process and its children, also of those that ended."""
    while True:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        try:
            running = sum(cpu_seconds(int(each)) for each in children)
        except (FileNotFoundError, ProcessLookupError):
            continue  # one of them ended meanwhile
        return cpu_seconds(pid, ended_children=True) + running
