"""`python -m tests.soak [KIND]`: processes, in real time, for ten minutes each.

- faults: a daemon gets statements of every kind while the platform fails in every way it knows.
  Then the faults end, and the platform must have what the statements say, without a repeat that no
  fault explains and without a 429 of ours.
- replicas: three daemons on one PostgreSQL database and one Kafka topic have more to send than the
  quota allows. They must use 97 % of it, and get no 429.
- hostile: honest players beside a crowd that tries everything at once (hostile.py). They must be
  answered within two seconds, and the daemon stay within its memory and its store's quotas.
- simulated: what a daemon comes to with the demo's heartbeats, and what `pointsman simulate` says
  of them (simulated.py). They must agree within a tenth.

Exit code 0 when all is as it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
from rich.console import Console

from demo.broker import start_broker
from demo.children import ended_by_signals
from demo.database import start_database
from tests.soak.hostile import hostile
from tests.soak.simulated import simulated
from tests.support.daemon_fleet import (
    KEY,
    Fleet,
    a_fleet,
    login,
    repeats,
    statement,
    verdict,
    write_tokens,
)
from tests.support.databases import a_database
from tests.support.full_load import full_load
from tests.support.random_traffic import FAULTS, Traffic

_LEARNERS = 60
#: statements a second
_RATE = 8.0
#: seconds between two rounds of logins
_TOKENS_EVERY = 30.0
#: our part: the logins are another client's, and take theirs
_SHARE = 0.6


def faults(folder: Path, seconds: float, seed: int, console: Console) -> bool:
    """Whether all is as it must be."""
    emulate = [
        option
        for fault in FAULTS
        for option in ("--fault", ",".join(f"{key}={value}" for key, value in fault.items()))
    ]
    traffic = Traffic(_LEARNERS, random.Random(seed))
    with a_fleet(
        folder, _LEARNERS, requests=600, share=_SHARE, emulate=("--seed", str(seed), *emulate)
    ) as fleet:
        fleet.add()
        asyncio.run(_storm(fleet, seconds, traffic))
        state, books = asyncio.run(fleet.state()), fleet.verify()
    wrong, repeated = verdict(state, traffic), repeats(state, traffic)
    console.print(
        f"{traffic.count} statements, {len(traffic.expected)} targets in "
        f"{state['totals']['requests']} requests; faults struck: {state['faults']['struck']}"
    )
    console.print(f"{len(wrong)} things wrong, {len(repeated)} repeats that no fault explains")
    for line in [*wrong, *repeated][:20]:
        console.print(line, markup=False)
    return not wrong and not repeated and bool(books["balanced"])


async def _storm(fleet: Fleet, seconds: float, traffic: Traffic) -> None:
    (replica,) = fleet.replicas
    await fleet.ready(replica)
    async with aiohttp.ClientSession() as session:
        renewal = asyncio.create_task(_renew_tokens(session, fleet))
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            change = traffic.next(time.time_ns() // 1_000)
            await fleet.post(session, statement(traffic.latest, change))
            await asyncio.sleep(traffic.dice.expovariate(_RATE))
        faults_of = f"{fleet.platform}/emulator/faults"
        async with session.delete(faults_of, params={"apiKey": KEY}) as answer:
            answer.raise_for_status()
        await fleet.drained(traffic.count, patience=120)
        renewal.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewal


async def _renew_tokens(session: aiohttp.ClientSession, fleet: Fleet) -> None:
    """Write fresh tokens twice a minute, as a page that launches players brings them."""
    while True:
        known = {}
        for number in range(_LEARNERS):
            email = f"l{number}@example.com"
            if token := await login(session, fleet.platform, email):
                known[email] = {"authToken": token, "userId": f"u{number}"}
        write_tokens(fleet.folder / "tokens.json", known)
        await asyncio.sleep(_TOKENS_EVERY)


def replicas(folder: Path, seconds: float, _seed: int, console: Console) -> bool:
    """Whether the quota was used, and held."""
    with start_broker() as broker, start_database() as server, a_database(server) as store:
        console.print(f"{broker.kind}, {server.kind}")
        load = full_load(folder, store, broker.bootstrap, seconds)
    console.print(str(load))
    return load.holds


_KINDS: dict[str, Callable[[Path, float, int, Console], bool]] = {
    "faults": faults,
    "replicas": replicas,
    "hostile": hostile,
    "simulated": simulated,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=[], choices=[*_KINDS, []])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    console = Console()
    agrees = True
    for kind in arguments.kinds or _KINDS:
        prefix = f"pointsman-soak-{kind}-"
        with ended_by_signals(), tempfile.TemporaryDirectory(prefix=prefix) as folder:
            console.print(f"{kind}, {arguments.minutes:g} minutes; files: {folder}")
            done = _KINDS[kind](Path(folder), arguments.minutes * 60, arguments.seed, console)
            console.print("[bold green]OK" if done else "[bold red]NOT OK")
            agrees = agrees and done
    return 0 if agrees else 1


if __name__ == "__main__":
    raise SystemExit(main())
