"""Runs the emulator as a process of its own, for the command `pointsman emulate`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from pointsman.domain.clock import SystemClock
from pointsman.emulator.catalogue import builtin_catalogue, load_catalogue
from pointsman.emulator.emulator import Emulator
from pointsman.emulator.faults import Faults, read_faults
from pointsman.emulator.persistence import StatePersistence
from pointsman.emulator.server import serve


async def run_emulator(
    *,
    host: str,
    port: int,
    api_key: str,
    catalogue: Path | None,
    points_per_minute: int,
    requests_per_minute: int,
    points_per_request: int,
    token_ttl: float,
    data: Path | None = None,
    faults: Sequence[str] = (),
    faults_file: Path | None = None,
    seed: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; one line on stdout says where, with the real port.

    `token_ttl` is in seconds; without `data` everything is in memory; `faults` are as
    `fault_from_text` takes them, and come after those of the file. Raises `ConfigError` for a bad
    catalogue, fault, file or address.
    """
    wanted = read_faults(faults, faults_file)
    loaded = builtin_catalogue() if catalogue is None else load_catalogue(catalogue)
    with ExitStack() as opened:
        persistence = (
            opened.enter_context(closing(StatePersistence(data))) if data is not None else None
        )
        emulator = Emulator(
            loaded,
            api_key=api_key,
            clock=SystemClock(),
            points_per_minute=points_per_minute,
            requests_per_minute=requests_per_minute,
            points_per_request=points_per_request,
            token_ttl=token_ttl,
            faults=Faults(wanted, seed=seed),
            persistence=persistence,
        )
        await _serve(emulator, host, port)


async def _serve(emulator: Emulator, host: str, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    async with serve(emulator, host=host, port=port) as base:
        sys.stdout.write(f"emulated platform listening on {base}/helium\n")
        sys.stdout.flush()
        await stop.wait()
