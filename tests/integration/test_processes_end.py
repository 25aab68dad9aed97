"""What the demo starts ends with it, by whatever signal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from demo.processes import PATIENCE
from tests.support.clients import node
from tests.support.tools import need

ROOT = Path(__file__).parents[2]
SLEEPER = "import signal, sys; print('up', flush=True); signal.pause()"
PARENT = f"""
import asyncio, sys, pathlib
from demo.children import Child, ended_by_signals
with ended_by_signals():
    with open(sys.argv[1], "wb") as output:
        children = [Child([sys.executable, "-c", {SLEEPER!r}], output=output) for _ in range(3)]
    try:
        asyncio.run(asyncio.sleep(0))
        print("ready", flush=True)
        asyncio.run(asyncio.Event().wait())
    finally:
        for child in children:
            child.terminate()
            child.wait()
        print("in order", flush=True)
"""


def _parents() -> Iterator[tuple[int, int, str]]:
    """(process, its parent, its state) of all processes that there are."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            yield int(folder.name), int(parent), state


def descendants(process: int) -> set[int]:
    children: dict[int, set[int]] = {}
    for number, parent, _ in _parents():
        children.setdefault(parent, set()).add(number)
    found, left = set[int](), [process]
    while left:
        more = children.get(left.pop(), set()) - found
        found |= more
        left += more
    return found


async def all_ended(processes: set[int]) -> None:
    async with asyncio.timeout(PATIENCE):
        while {number for number, _, state in _parents() if state not in "ZX"} & processes:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def running(*command: str, sign: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command, when a line of its output begins with the sign."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while not (line := await process.stdout.readline()).startswith(sign.encode()):
                assert line, "it ended before the sign"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
async def test_children_end_with_their_parent(number: str, tmp_path: Path) -> None:
    how = signal.Signals[number]
    async with running(sys.executable, "-c", PARENT, str(tmp_path / "out"), sign="ready") as parent:
        below = descendants(parent.pid)
        assert len(below) == 4  # three, and the watchdog
        parent.send_signal(how)
        await all_ended(below)
        rest, _ = await parent.communicate()
    assert rest == (b"" if how is signal.SIGKILL else b"in order\n")
    assert parent.returncode == (-how if how is signal.SIGKILL else 128 + how)


@pytest.mark.parametrize("number", ["SIGTERM", "SIGKILL"])
async def test_make_player_leaves_no_process_behind(number: str, tmp_path: Path) -> None:
    await node()
    (make,) = need("make")
    # as if `make setup` had made this Python's environment there
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u "$@"\n')
    python.chmod(0o755)
    (tmp_path / ".ready").touch()
    async with running(make, f"VENV={tmp_path}", "player", sign="http") as process:
        below = descendants(process.pid)
        assert len(below) == 4  # the demo, the emulator, the daemon and the watchdog
        process.send_signal(signal.Signals[number])
        await all_ended(below)


async def test_the_demo_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    # it starts a broker of its own, beside the one that this run has
    monkeypatch.delenv("POINTSMAN_TEST_KAFKA", raising=False)
    async with running(sys.executable, "-u", "-m", "demo", sign="platform: ") as process:
        below = descendants(process.pid)
        assert len(below) == 4  # broker, emulator, daemon and watchdog
        os.kill(process.pid, signal.SIGTERM)
        await all_ended(below)
        await process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
