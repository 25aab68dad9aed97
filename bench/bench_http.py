"""HTTP intake, in the CPU and the time of a no-op aiohttp handler; the load is another process.

Rounds are taken in turn, one of each kind; CPU is that of the whole process, the writer's thread
too. The platform does not answer, so that what is measured is intake, and delivery waits.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from bench.post_load import Job, as_json
from bench.results import Spread, record
from demo.children import Child
from demo.processes import answers, free_port, pointsman, stop, wait_until_up
from pointsman.platforms.tokens.vault import new_key

_ROUNDS, _STATEMENTS, _CONNECTIONS, _LEARNERS = 5, 3_200, 64, 500
_SECONDS_OF_TICK = 1 / os.sysconf("SC_CLK_TCK")
#: the Authorization of a player that was not launched
PLAYER = "Basic " + base64.b64encode(b"player:secret").decode()
_OPERATOR = "Basic " + base64.b64encode(b"page:secret").decode()
_CONFIG = """
allow_weak_secrets = true
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = 0
{http}
[store]
url = "{store}"
[platform]
url = "http://127.0.0.1:1"
api_key = "key"
[[sources.http]]
name = "players"
credentials = [{{ key = "player", secret = "secret" }}]
[launches]
public_url = "http://127.0.0.1:{port}"
operators = [{{ key = "page", secret = "secret" }}]
signing_key = "a-key-of-a-benchmark-that-is-long-enough"
[launches.limits]
requests_per_second = 10_000
[learners.tokens]
inline = {{ {tokens} }}
encryption_key = "{key}"
[[rules]]
name = "lessons"
activity = "https://content.example.com/{{course}}/{{topic}}"
topic_id = "topic_{{topic}}"
course_slug = "{{course}}"
"""
_SHARED = """
reuse_port = true
[http.operator]
port = {port}
"""
_ENCRYPTION_KEY = new_key()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of load: `batch` statements in a body, or 0 for one that is no array."""

    name: str
    batch: int
    learners: str = "known"
    #: how the players of launches talk: xapi or scorm; without, nobody is launched
    launched: str = ""
    is_reference: bool = False


_REFERENCE = Kind("no-op aiohttp handler, single posts", 0, is_reference=True)
_KINDS = (
    _REFERENCE,
    Kind("single posts", 0),
    Kind("single posts, learners without a token", 0, learners="unknown"),
    Kind("single posts of launched players", 0, launched="xapi"),
    Kind("SCORM commits", 0, launched="scorm"),
    Kind("batches of 100", 100),
    Kind("batches of 100, learners without a token", 100, learners="unknown"),
)


def cpu_seconds(pid: int, *, ended_children: bool = False) -> float:
    """User and system time of a process until now."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended_children else 13])) * _SECONDS_OF_TICK


@contextmanager
def noop(folder: Path) -> Iterator[tuple[int, int]]:
    """The reference: its process id and port."""
    port = free_port()
    with (folder / "noop.log").open("wb") as log:
        process = Child([sys.executable, "-m", "bench.noop_server", str(port)], output=log)
        try:
            wait_until_up(process, lambda: answers(f"http://127.0.0.1:{port}/readyz"))
            yield process.pid, port
        finally:
            stop(process)


@contextmanager
def daemon(folder: Path, store: str, shared: int | None = None) -> Iterator[tuple[int, int]]:
    """Pointsman on this store: its process id and port, which others have too if it is `shared`."""
    own = free_port()
    port, http = (own, "") if shared is None else (shared, _SHARED.format(port=own))
    tokens = ", ".join(f'"known{number}@example.com" = "t"' for number in range(_LEARNERS))
    config = folder / ("pointsman.toml" if shared is None else f"pointsman-{own}.toml")
    config.write_text(
        _CONFIG.format(port=port, http=http, store=store, tokens=tokens, key=_ENCRYPTION_KEY)
    )
    arguments = ["run", "--config", str(config)]
    with pointsman(arguments, folder / f"{own}.log", f"http://127.0.0.1:{own}/readyz") as process:
        yield process.pid, port


def launched_senders(port: int, kind: str = "xapi") -> list[tuple[str, str]]:
    """An Authorization for each connection, or SCORM's address, and its learner."""
    senders = []
    for number in range(_CONNECTIONS):
        learner = f"known{number}@example.com"
        asked = {
            "learner": learner,
            "activity": "https://content.example.com/course/topic",
            "topicId": f"topic_{number}",
            "kind": kind,
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/launches",
            json.dumps(asked).encode(),
            {"Authorization": _OPERATOR, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own loopback
            launch = json.load(answer)
            address = launch.get("commitUrl", "")
            senders.append((launch.get("authorization") or urlsplit(address).path, learner))
    return senders


def post(job: Job) -> dict[str, Any]:
    """What `post_load` writes when all of it was taken."""
    done: dict[str, Any] = json.loads(
        subprocess.run(
            [sys.executable, "-m", "bench.post_load"],
            input=as_json(job).encode(),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
    )
    if set(done["statuses"]) != {"200"}:
        raise RuntimeError(f"not all was taken: {done['statuses']}")
    return done


def measure(pid: int, job: Job) -> tuple[float, float]:
    """Microseconds of CPU, and of time, for each statement."""
    before = cpu_seconds(pid)
    done = post(job)
    taken = cpu_seconds(pid) - before
    return taken * 1e6 / job.statements, done["seconds"] * 1e6 / job.statements


def main(title: str = "HTTP intake, SQLite", store: str = "sqlite:///bench.db") -> None:
    cpu: dict[str, list[float]] = {kind.name: [] for kind in _KINDS}
    time: dict[str, list[float]] = {kind.name: [] for kind in _KINDS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        reference = stack.enter_context(noop(folder))
        pid, port = stack.enter_context(daemon(folder, store))
        launched = {kind: launched_senders(port, kind) for kind in ("xapi", "scorm")}
        for number in range(_ROUNDS + 1):
            for kind in _KINDS:
                of, at = reference if kind.is_reference else (pid, port)
                senders = launched.get(kind.launched, [(PLAYER, "")])
                # so that each connection of a batch run posts at least one whole batch
                connections = 32 if kind.batch else _CONNECTIONS
                # the reference takes so little that ticks of the clock would count
                statements = _STATEMENTS * 4 if kind.is_reference else _STATEMENTS
                job = Job(
                    at,
                    statements,
                    kind.batch,
                    connections,
                    senders,
                    _LEARNERS,
                    kind.learners,
                    number,
                )
                used, taken = measure(of, job)
                if number:  # the first one warms up
                    cpu[kind.name].append(used)
                    time[kind.name].append(taken)
    for unit, taken_by in (("CPU", cpu), ("time", time)):
        record(
            f"{title}: {unit} of a statement",
            _REFERENCE.name,
            {name: Spread.of(values) for name, values in taken_by.items()},
            command="python -m bench.bench_http",
        )


if __name__ == "__main__":
    main()
