"""Runs the emulator as a process of its own, for the command `pointsman emulate`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from pydantic import ValidationError

from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import ConfigError
from pointsman.emulator.catalogue import builtin_catalogue, load_catalogue
from pointsman.emulator.emulator import Emulator
from pointsman.emulator.events import EndpointOptions
from pointsman.emulator.faults import Faults, read_faults
from pointsman.emulator.persistence import StatePersistence
from pointsman.emulator.responses import problems
from pointsman.emulator.rest import RestOptions
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
    webhook: Mapping[str, str] | None = None,
    rest_requests_per_minute: int = 100,
    feed_per_page: int = 100,
    feed_newest_first: bool = True,
    feed_wrapped: bool = False,
    feed_cursor_ttl: float | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; one line on stdout says where, with the real port.

    `token_ttl` is in seconds; without `data` everything is in memory; `faults` are as
    `fault_from_text` takes them, and come after those of the file; `webhook` is the `url` and
    `secret` of an endpoint. Raises `ConfigError` for a bad catalogue, fault, file or address.
    """
    wanted = read_faults(faults, faults_file)
    endpoints = [] if webhook is None else [_endpoint(webhook)]
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
            webhooks=endpoints,
            rest=RestOptions(
                requests_per_minute=rest_requests_per_minute,
                per_page=feed_per_page,
                newest_first=feed_newest_first,
                wrapped=feed_wrapped,
                cursor_ttl=feed_cursor_ttl,
            ),
        )
        await _serve(emulator, host, port)


def _endpoint(webhook: Mapping[str, str]) -> EndpointOptions:
    try:
        return EndpointOptions.model_validate(webhook)
    except ValidationError as error:
        options = (f"--webhook-{line}" for line in problems(error).splitlines())
        raise ConfigError("\n".join(options)) from None


async def _serve(emulator: Emulator, host: str, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    async with serve(emulator, host=host, port=port) as base:
        sys.stdout.write(f"emulated platform listening on {base}/helium\n")
        sys.stdout.flush()
        await stop.wait()
