"""What the history costs a daemon: CPU from POST to commit, and of delivery over HTTP.

`python -m bench.bench_history_http`. Two daemons, one of which keeps no history, take the same load
in turn, from a process of its own; the platform is the emulator in another process. While they take
statements in, delivery is paused; then it is resumed until all is delivered.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.bench_http import PLAYER, cpu_seconds, measure
from bench.live_emulator import PLENTY, emulator_with
from bench.post_load import Job
from bench.results import Spread, record
from demo.children import Child
from demo.processes import answers, free_port, stop, wait_until_up
from demo.scenario import API_KEY, write_tokens
from pointsman import commands
from pointsman.config import Settings, load
from pointsman.domain.clock import SystemClock
from pointsman.domain.pauses import Pause
from pointsman.store.base import Store

_ROUNDS, _STATEMENTS, _LEARNERS, _CONNECTIONS = 7, 1_024, 128, 64
_PROGRAMS = {"with": "pointsman", "without": "bench.daemon_without_history"}
#: seconds until a daemon has seen a pause, and between two looks at what is left
_SEEN, _LOOK = 2.5, 0.2
_CONFIG = """
allow_weak_secrets = true
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = 0
[store]
url = "sqlite:///{name}.db"
[platform]
url = "http://127.0.0.1:{emulator}/helium"
api_key = "{key}"
[platform.limits]
points_per_minute = {plenty}
requests_per_minute = {plenty}
[delivery]
progress_interval_seconds = 0.1
fresh_within_seconds = 1
[[sources.http]]
name = "players"
credentials = [{{ key = "player", secret = "secret" }}]
[learners.tokens]
file = "tokens.json"
[[rules]]
activity = "https://content.example.com/{{course}}/{{topic}}"
topic_id = "topic_{{topic}}"
course_slug = "{{course}}"
"""


@dataclass
class _Daemon:
    """One daemon, and the CPU seconds that each round took: intake, delivery."""

    pid: int
    port: int
    settings: Settings
    taken: list[tuple[float, float]] = field(default_factory=list)

    def round(self, number: int) -> None:
        asyncio.run(commands.with_store(self.settings, _pause))
        time.sleep(_SEEN)
        senders = [(PLAYER, "")]
        job = Job(self.port, _STATEMENTS, 0, _CONNECTIONS, senders, _LEARNERS, "known", number)
        intake, _ = measure(self.pid, job)
        before = cpu_seconds(self.pid)
        asyncio.run(commands.with_store(self.settings, lambda store: store.resume(None)))
        while asyncio.run(commands.books(self.settings)).dirty:
            time.sleep(_LOOK)
        delivery = cpu_seconds(self.pid) - before
        self.taken.append((intake * _STATEMENTS / 1e6, delivery))


async def _pause(store: Store) -> None:
    await store.pause(Pause(None, round(SystemClock().now() * 1e6), "a benchmark"))


@contextmanager
def _daemon(folder: Path, name: str, emulator: int) -> Iterator[_Daemon]:
    port, config = free_port(), folder / f"{name}.toml"
    config.write_text(
        _CONFIG.format(port=port, name=name, emulator=emulator, key=API_KEY, plenty=PLENTY)
    )
    command = [sys.executable, "-m", _PROGRAMS[name], "run", "--config", str(config)]
    with (folder / f"{name}.log").open("wb") as log:
        process = Child(command, output=log)
        try:
            wait_until_up(process, lambda: answers(f"http://127.0.0.1:{port}/readyz"))
            yield _Daemon(process.pid, port, load(config))
        finally:
            stop(process)


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        emulator, tokens = stack.enter_context(emulator_with(folder, _LEARNERS))
        write_tokens(folder / "tokens.json", tokens)
        daemons = {name: stack.enter_context(_daemon(folder, name, emulator)) for name in _PROGRAMS}
        for number in range(_ROUNDS + 1):
            order = list(daemons.values())
            for daemon in order if number % 2 else reversed(order):
                daemon.round(number)
        parked = asyncio.run(commands.books(daemons["with"].settings)).parked
        if parked:
            raise RuntimeError(f"{parked} states are parked; see {folder}")
    for place, what in enumerate(("from POST to commit", "delivered")):
        record(
            f"With and without history, over HTTP: CPU of a statement, {what}",
            "without",
            {
                name: Spread.of(
                    [1e6 * seconds[place] / _STATEMENTS for seconds in daemon.taken[1:]]
                )
                for name, daemon in reversed(daemons.items())
            },
            command="python -m bench.bench_history_http",
        )


if __name__ == "__main__":
    main()
