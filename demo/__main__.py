"""`python -m demo`: start all, play, watch, read back, compare. Exit code 0 when it agrees."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.live import Live
from rich.table import Table

from demo import readback, traffic, view
from demo.broker import start_broker
from demo.children import ended_by_signals
from demo.processes import CannotStart, free_port, pointsman
from demo.scenario import (
    API_KEY,
    CONFIRMATIONS,
    WEBHOOK_SECRET,
    Ports,
    learners,
    write_catalogue,
    write_config,
    write_tokens,
)

TOPIC = "xapi-heartbeats"
#: seconds that the delivery may take after the last input
_PATIENCE = 120.0
#: and that the platform's webhooks may take after that
_WEBHOOK_PATIENCE = 30.0


async def play(
    console: Console, arguments: argparse.Namespace, ports: Ports, bootstrap: str
) -> traffic.Expected:
    """Send everything, and watch until nothing is left to deliver; returns what must be there."""
    dice = random.Random(arguments.seed)  # noqa: S311 - a demo that can be repeated
    names = [name for name in learners(arguments.learners) if name.startswith("heartbeat")]
    messages, expected = traffic.heartbeats(names, arguments.beats, dice)
    sent = {"http": 0, "kafka": 0}
    url = f"http://127.0.0.1:{ports.daemon}"

    def count(kind: str, number: int) -> None:
        sent[kind] += number

    async with aiohttp.ClientSession() as session:
        started = time.monotonic()
        players = asyncio.create_task(traffic.replay(url, expected, lambda n: count("http", n)))
        kafka = asyncio.create_task(
            traffic.produce(
                bootstrap, TOPIC, messages, arguments.seconds, lambda n: count("kafka", n)
            )
        )
        done_at: float | None = None
        with Live(console=console, refresh_per_second=4) as live:
            while done_at is None or time.monotonic() < done_at + _PATIENCE:
                numbers = await view.read_metrics(session, url)
                live.update(view.picture(numbers, sent, started))
                if players.done() and kafka.done():
                    done_at = done_at or time.monotonic()
                    taken = sum(
                        numbers[f"pointsman_inputs_total:{one}"]
                        for one in (
                            "applied",
                            "superseded",
                            "no_effect",
                            "unmatched",
                            "dead",
                            "duplicate",
                        )
                    )
                    if (
                        taken >= sent["http"] + sent["kafka"]
                        and not numbers["pointsman_desired:dirty"]
                    ):
                        break
                await asyncio.sleep(0.25)
        await kafka
        for problem in await players:
            console.print(f"[red]the daemon answered a player oddly: {problem}")
            raise SystemExit(1)
    return expected


def webhooks(ports: Ports) -> list[str]:
    """The emulator's options: it tells the daemon what happens there."""
    url = f"http://127.0.0.1:{ports.daemon}/confirmations/{CONFIRMATIONS}"
    return ["--webhook-url", url, "--webhook-secret", WEBHOOK_SECRET]


async def confirmations(platform: str, ports: Ports) -> tuple[int, int]:
    """Courses that are completed on the platform, and how many of them it has confirmed by now.

    Waits a little for what is on its way.
    """
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{platform}/emulator/state") as answer:
            learners = (await answer.json())["learners"].values()
        statuses = [
            course["status"] for learner in learners for course in learner["courses"].values()
        ]
        completed = statuses.count("completed")
        deadline = time.monotonic() + _WEBHOOK_PATIENCE
        while True:
            numbers = await view.read_metrics(session, f"http://127.0.0.1:{ports.daemon}")
            confirmed = round(numbers[view.CONFIRMED])
            if confirmed >= completed or time.monotonic() > deadline:
                return completed, confirmed
            await asyncio.sleep(0.1)


def report(console: Console, rows: list[readback.Row], books: dict[str, object]) -> bool:
    """The table of what was read back; whether all of it agrees."""
    wrong = [row for row in rows if not row.agrees]
    table = Table(title="read back from the platform")
    for name in ("learner", "course", "topics %", "course %", "pages completed", ""):
        table.add_column(name)
    shown = wrong[:20] or [*rows[:4], *rows[-4:]]
    for row in shown:
        mark = "[green]OK" if row.agrees else "[red]differs"
        table.add_row(
            row.learner,
            row.course,
            _pair(_percentages(row.expected), _percentages(row.found)),
            _pair(row.expected_percent, row.found_percent),
            _pair(len(row.expected_done), len(row.found_done)),
            mark,
        )
    console.print(table)
    console.print(
        f"{len(rows)} learners' courses read back, {len(wrong)} differ; "
        f"the books {'balance' if books['balanced'] else 'do NOT balance'}: "
        f"{json.dumps(books['inputs'])}, {json.dumps(books['desired'])}"
    )
    return not wrong and bool(books["balanced"])


def is_well(console: Console, config: Path) -> bool:
    """Whether `pointsman doctor` finds nothing to mend; what it finds is printed."""
    examined = subprocess.run(
        [sys.executable, "-m", "pointsman", "doctor", "--json", "--config", str(config)],
        capture_output=True,
        check=False,
        text=True,
    )
    findings = json.loads(examined.stdout)["findings"]
    odd = [row for row in findings if row["level"] != "ok"]
    for row in odd:
        console.print(f"[red]{row['check']}: {row['words']}; next: {row['cure']}")
    console.print(f"pointsman doctor: {len(findings) - len(odd)} of {len(findings)} checks are ok")
    return not odd


def _percentages(topics: dict[str, int]) -> str:
    return ", ".join(f"{percent}" for _, percent in sorted(topics.items()))


def _pair(expected: object, found: object) -> str:
    return str(found) if expected == found else f"{found}, expected {expected}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--learners", type=int, default=200, help="learners with heartbeats")
    parser.add_argument("--beats", type=int, default=12, help="heartbeats a learner and topic")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long Kafka is fed")
    parser.add_argument("--seed", type=int, default=4)
    arguments = parser.parse_args()
    console = Console()
    with ended_by_signals(), contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-demo-")))
        ports = Ports(free_port(), free_port())
        broker = stack.enter_context(start_broker(prefer="light"))
        platform = f"http://127.0.0.1:{ports.emulator}"
        write_catalogue(folder / "catalogue.toml", learners(arguments.learners))
        emulate = ["emulate", "--port", str(ports.emulator), "--api-key", API_KEY]
        stack.enter_context(
            pointsman(
                [*emulate, "--catalogue", str(folder / "catalogue.toml"), *webhooks(ports)],
                folder / "emulator.log",
                f"{platform}/emulator/state",
            )
        )
        asyncio.run(traffic.make_topic(broker.bootstrap, TOPIC))
        tokens = asyncio.run(readback.log_in(f"{platform}/helium", learners(arguments.learners)))
        write_tokens(folder / "tokens.json", tokens)
        config = folder / "pointsman.toml"
        write_config(config, ports, broker.bootstrap, TOPIC)
        stack.enter_context(
            pointsman(
                ["run", "--config", str(config)],
                folder / "daemon.log",
                f"http://127.0.0.1:{ports.daemon}/readyz",
            )
        )
        console.print(
            f"platform: {platform}   broker: {broker.kind} at {broker.bootstrap}   "
            f"daemon: http://127.0.0.1:{ports.daemon}   files: {folder}"
        )
        expected = asyncio.run(play(console, arguments, ports, broker.bootstrap))
        rows = asyncio.run(readback.compare(platform, tokens, expected))
        completed, confirmed = asyncio.run(confirmations(platform, ports))
        verified = subprocess.run(
            [sys.executable, "-m", "pointsman", "verify", "--json", "--config", str(config)],
            capture_output=True,
            check=False,
            text=True,
        )
        if not verified.stdout:
            console.print(f"[red]pointsman verify failed: {verified.stderr}")
            return 1
        console.print(
            f"{completed} courses are completed on the platform, {confirmed} of them confirmed by "
            "its webhooks"
        )
        agrees = report(console, rows, json.loads(verified.stdout)) and confirmed == completed
        agrees = is_well(console, config) and agrees
        if not agrees:
            console.print((folder / "daemon.log").read_text(encoding="utf-8")[-3000:])
    console.print("[bold green]OK" if agrees else "[bold red]NOT OK")
    return 0 if agrees else 1


if __name__ == "__main__":
    try:
        code = main()
    except CannotStart as error:
        raise SystemExit(str(error)) from None
    raise SystemExit(code)
