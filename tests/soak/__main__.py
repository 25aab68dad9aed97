"""`python -m tests.soak`: the daemon and the emulator as processes, with every fault, in real time.

Statements of every kind go in over HTTP for some minutes while the platform fails in every way it
knows. Then the faults end, and the platform must stand as the statements say: exit code 0.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from demo.processes import free_port, pointsman
from pointsman.model import Change, TargetKind
from tests.support.weather import FAULTS, Strike, Traffic, executed, goods, misfits, unexplained

KEY = "soak-key"
LEARNERS = 60
#: statements a second
_RATE = 8.0
#: seconds that delivery may take after the faults have ended
_PATIENCE = 90.0
#: seconds between two rounds of logins
_TOKENS_EVERY = 30.0
_CONTENT = "https://content.example.com"
_HEADERS = {
    "Authorization": "Basic " + base64.b64encode(b"user:secret").decode(),
    "X-Experience-API-Version": "1.0.3",
}
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_CONFIG = """
[http]
host = "127.0.0.1"
port = {port}
[platform]
url = "http://127.0.0.1:{platform}"
api_key = "{key}"
[platform.limits]
requests_per_minute = 600
share = 0.6  # the logins below are another client's, and take their part
[delivery]
retry_max_seconds = 10
max_failures = 1000
[audit]
enabled = false
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[learners.tokens]
file = "tokens.json"
[[rules]]
activity = "{content}/topics/{{topic}}"
topic_id = "{{topic}}"
[[rules]]
activity = "{content}/courses/{{course}}"
course_slug = "{{course}}"
course_completed = "completed"
[[rules]]
activity = "{content}/paths/{{path}}"
learning_path_slug = "{{path}}"
[[rules]]
activity = "{content}/meetings/{{meeting}}"
meeting_id = "{{meeting}}"
[[rules]]
activity = "{content}/archive/{{course}}"
course_id = "{{course}}"
course_started = false
"""
_VERBS = {
    "started": "initialized",
    "completed": "completed",
    "not-completed": "abandoned",
    "attended": "attended",
    "not-attended": "registered",
    "archived": "archived",
    "active": "reinstated",
}


def statement(who: str, change: Change) -> dict[str, Any]:
    """What a player would have said for this change."""
    key, value = change.target.key, change.value
    folder, name = {
        TargetKind.TOPIC_PROGRESS: ("topics", key),
        TargetKind.COURSE_STATUS: ("courses", key.removeprefix("slug:")),
        TargetKind.LEARNING_PATH_ACCESS: ("paths", key),
        TargetKind.MEETING_ATTENDANCE: ("meetings", change.learner.removeprefix("meeting:")),
        TargetKind.COURSE_ARCHIVED: ("archive", key),
    }[change.target.kind]
    made: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat(),
        "actor": {"mbox": f"mailto:{who}"},
        "object": {"id": f"{_CONTENT}/{folder}/{name}"},
    }
    verb = "progressed" if isinstance(value, int) else _VERBS[value]
    made["verb"] = {"id": f"http://adlnet.gov/expapi/verbs/{verb}"}
    if isinstance(value, int):
        made["result"] = {"extensions": {_PROGRESS: value}}
    return made


async def soak(daemon: str, platform: str, seconds: float, traffic: Traffic, folder: Path) -> None:
    """Send statements, and hand out a new token whenever one has expired."""
    async with aiohttp.ClientSession() as session:
        handing_out = asyncio.create_task(hand_out(session, platform, folder))
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            change = traffic.next(time.time_ns() // 1_000)
            who = traffic.latest
            async with session.post(
                f"{daemon}/xapi/statements", headers=_HEADERS, json=statement(who, change)
            ) as answer:
                if answer.status != 200:
                    raise RuntimeError(f"HTTP {answer.status}: {await answer.text()}")
            await asyncio.sleep(traffic.dice.expovariate(_RATE))
        async with session.delete(f"{platform}/emulator/faults", params={"apiKey": KEY}) as answer:
            answer.raise_for_status()
        await drained(session, daemon)
        handing_out.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await handing_out


async def hand_out(session: aiohttp.ClientSession, platform: str, folder: Path) -> None:
    """Whoever launches players has fresh tokens all the time: here a file, twice a minute."""
    while True:
        known = {}
        for number in range(LEARNERS):
            email = f"l{number}@example.com"
            if token := await login(session, platform, email):
                known[email] = {"authToken": token, "userId": f"u{number}"}
        write_tokens(folder / "tokens.json", known)
        await asyncio.sleep(_TOKENS_EVERY)


async def login(session: aiohttp.ClientSession, platform: str, email: str) -> str | None:
    """A fresh token; None when a fault struck, the next round is soon."""
    query = 'mutation L($e: String!) { Login(email: $e, password: "demo") }'
    with contextlib.suppress(aiohttp.ClientError):
        async with session.post(
            f"{platform}/helium",
            params={"apiKey": KEY},
            json={"query": query, "variables": {"e": email}},
        ) as answer:
            data = (await answer.json(content_type=None)).get("data") or {}
            token: str | None = data.get("Login")
            return token
    return None


def write_tokens(path: Path, known: dict[str, Any]) -> None:
    before = json.loads(path.read_bytes()) if path.exists() else {}
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({**before, **known}), encoding="utf-8")
    beside.replace(path)


async def drained(session: aiohttp.ClientSession, daemon: str) -> None:
    """Wait until nothing is dirty or parked."""
    gives_up = time.monotonic() + _PATIENCE
    while time.monotonic() < gives_up:
        async with session.get(f"{daemon}/metrics") as answer:
            page = await answer.text()
        left = sum(
            float(line.rpartition(" ")[2])
            for line in page.splitlines()
            if line.startswith("pointsman_desired{")
        )
        if not left:
            return
        await asyncio.sleep(1)
    raise RuntimeError(f"{left:g} desired states were left after {_PATIENCE:g} s")


def read_state(platform: str) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{platform}/emulator/state", params={"history": "1"}) as answer,
        ):
            state: dict[str, Any] = await answer.json()
            return state

    return asyncio.run(ask())


def report(console: Console, state: dict[str, Any], traffic: Traffic) -> bool:
    """Whether all is as it must be; says what is not."""
    strikes = [Strike(number, kind) for number, kind in state["strikes"]]
    ran = list(executed(state["history"]))
    wrong = misfits(state["learners"], traffic.expected)
    repeated = unexplained(ran, strikes, traffic)
    rejected = state["totals"]["rejected_429"]
    console.print(
        f"{traffic.count} statements, {len(traffic.expected)} targets, {len(ran)} mutations in "
        f"{state['totals']['requests']} requests; faults struck: {state['faults']['struck']}"
    )
    console.print(
        f"{len(wrong)} targets differ, {len(repeated)} repeats that no fault explains, "
        f"{rejected} requests over the quota"
    )
    for one in [*wrong, *repeated][:20]:
        console.print(one, markup=False)
    return not wrong and not repeated and not rejected


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    console = Console()
    traffic = Traffic(LEARNERS, random.Random(arguments.seed))
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-soak-")))
        emulator, daemon = free_port(), free_port()
        platform = f"http://127.0.0.1:{emulator}"
        write_catalogue(folder / "catalogue.toml")
        faults = [
            option
            for one in FAULTS
            for option in ("--fault", ",".join(f"{key}={value}" for key, value in one.items()))
        ]
        stack.enter_context(
            pointsman(
                [
                    *("emulate", "--port", str(emulator), "--api-key", KEY),
                    *("--catalogue", str(folder / "catalogue.toml")),
                    *("--requests-per-minute", "600", "--seed", str(arguments.seed), *faults),
                ],
                folder / "emulator.log",
                f"{platform}/emulator/state",
            )
        )
        config = folder / "pointsman.toml"
        config.write_text(_CONFIG.format(port=daemon, platform=emulator, key=KEY, content=_CONTENT))
        write_tokens(folder / "tokens.json", {})
        stack.enter_context(
            pointsman(
                ["run", "--config", str(config)],
                folder / "daemon.log",
                f"http://127.0.0.1:{daemon}/readyz",
            )
        )
        console.print(f"{arguments.minutes:g} minutes of every fault; files: {folder}")
        url = f"http://127.0.0.1:{daemon}"
        asyncio.run(soak(url, platform, arguments.minutes * 60, traffic, folder))
        agrees = report(console, read_state(platform), traffic)
        verified = subprocess.run(
            [sys.executable, "-m", "pointsman", "verify", "--config", str(config)],
            check=False,
            capture_output=True,
            text=True,
        )
        console.print(verified.stdout.splitlines()[-1] if verified.stdout else verified.stderr)
    agrees = agrees and verified.returncode == 0
    console.print("[bold green]OK" if agrees else "[bold red]NOT OK")
    return 0 if agrees else 1


def write_catalogue(path: Path) -> None:
    """The goods of the virtual hour, as a file."""
    found = goods(LEARNERS).model_dump(mode="json", exclude_defaults=True)
    lines: list[str] = []
    for section, entries in found.items():
        for entry in entries:
            lines.append(f"[[{section}]]")
            lines += [f"{key} = {_toml(value)}" for key, value in entry.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {_toml(one)}" for key, one in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)


if __name__ == "__main__":
    raise SystemExit(main())
