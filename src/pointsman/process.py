"""Runs the daemon as a process: what signals do to it, and when it ends.

SIGHUP has the configuration read again. SIGTERM and SIGINT stop it in order, in the middle of its
start too; a second one ends it at once, and so does the end of the time that a stop may take.
Nothing that was acknowledged is lost by that.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from pointsman import wiring
from pointsman.app import Daemon
from pointsman.config import Settings
from pointsman.domain.errors import PointsmanError
from pointsman.domain.log_steps import NOTHING
from pointsman.telemetry import logs

log = structlog.get_logger(__name__)

#: seconds; the store's writer must win the interpreter lock back from a busy loop at each small
#: step, and waits for this long each time (docs/design.md, "The interpreter lock")
_SWITCH_INTERVAL = 0.0005
#: a collection of garbage holds up every thread, and one large input makes many objects, which are
#: no garbage (docs/design.md, "The longest pause")
_COLLECT_AFTER = (50_000, 20, 20)
#: seconds after `drain_delay_seconds` and `drain_seconds` for closing the store and what else is
#: open, and for giving up a start
CLOSING = 5.0
#: what a shell adds to the number of the signal that ended a process
_BY_SIGNAL = 128


def tune_interpreter() -> None:
    """How its threads take turns, and when it collects garbage."""
    sys.setswitchinterval(_SWITCH_INTERVAL)
    gc.set_threshold(*_COLLECT_AFTER)


def run(settings: Settings, config: Path | None = None) -> int:
    """The daemon until it is told to stop; its exit code. `config` is the file of the settings.

    0 when it stopped in order, during its start too. Raises `ConfigError` and `StoreUnavailable`.
    """
    logs.configure(settings.logging, processors=wiring.log_processors(settings))
    tune_interpreter()
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        asyncio.run(serve(settings, config=config))
    else:
        uvloop.run(serve(settings, config=config))
    return 0


async def serve(
    settings: Settings, end: Callable[[int], None] | None = None, config: Path | None = None
) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP has the file `config` read again.

    `end` ends the process at once with an exit code.
    """
    end = end or _end_process
    stop = Stop(end)
    daemon = Daemon(settings, config=config)
    with stop.by_signals(on_hangup=daemon.read_config_again):
        if not await _started(daemon, stop):
            log.info("stopped during the start", signal=stop.signal_name)
            return
        # what is there from the start stays, and is not looked at again
        gc.collect()
        gc.freeze()
        try:
            http = settings.http
            operator = http.operator or http
            log.info(
                "listening",
                host=http.host,
                port=http.port,
                operator_host=operator.host,
                operator_port=operator.port,
                store=settings.store.url,
                platform=settings.platform.url,
                rules=len(settings.rules),
            )
            await stop.wait()
            # a person at a terminal has no load balancer that must learn of it
            delay = settings.http.drain_delay_seconds if stop.number == signal.SIGTERM else 0.0
            daemon.begin_drain(delay)
        finally:
            with stop.at_the_latest_in(
                settings.http.drain_delay_seconds + settings.http.drain_seconds + CLOSING
            ):
                await daemon.close()


async def _started(daemon: Daemon, stop: Stop) -> bool:
    """Whether the start came to its end before a signal did."""
    starting = asyncio.ensure_future(daemon.open())
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not starting.done():
        starting.cancel()
        # an error of a start that is given up is of no use
        ignored = contextlib.suppress(asyncio.CancelledError, PointsmanError)
        with stop.at_the_latest_in(CLOSING), ignored:
            await starting
        return False
    await starting
    return True


class Stop:
    """The wish to stop. `end` ends the process at once with an exit code."""

    def __init__(self, end: Callable[[int], None]) -> None:
        self._end = end
        self._wanted = asyncio.Event()
        #: the first signal
        self.number: signal.Signals | None = None

    @property
    def signal_name(self) -> str:
        return "" if self.number is None else self.number.name

    async def wait(self) -> None:
        await self._wanted.wait()

    @contextlib.contextmanager
    def by_signals(self, on_hangup: Callable[[], None]) -> Iterator[None]:
        """What signals do within the block."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            loop.add_signal_handler(number, self._asked, number)
        loop.add_signal_handler(signal.SIGHUP, on_hangup)
        try:
            yield
        finally:
            for number in (*numbers, signal.SIGHUP):
                loop.remove_signal_handler(number)

    @contextlib.contextmanager
    def at_the_latest_in(self, seconds: float) -> Iterator[None]:
        """End the process when the block takes longer, whatever it waits for."""
        timer = threading.Timer(seconds, self._late, [seconds])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _asked(self, number: signal.Signals) -> None:
        if self.number is not None:
            log.warning(
                "ended at once by a second signal; nothing acknowledged is lost", next=NOTHING
            )
            self._end(_BY_SIGNAL + number)
        self.number = number
        self._wanted.set()

    def _late(self, seconds: float) -> None:
        log.warning(
            "ended at once: the stop took too long; nothing acknowledged is lost",
            s=seconds,
            next="if often: raise http.drain_seconds, and terminationGracePeriodSeconds with it",
        )
        self._end(0)


def _end_process(code: int) -> None:
    """Without waiting for anything: neither threads nor connections."""
    logging.shutdown()
    os._exit(code)
