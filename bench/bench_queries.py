"""The latency of posts beside slow readers of a full store: `python -m bench.bench_queries`.

A reader asks for everything, one heavy query after another, and reads a few kilobytes at a time.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import statistics
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from bench.results import Spread, record
from demo.processes import free_port, pointsman

_STATEMENTS, _BATCH = 40_000, 50
_READERS = 4
_POSTS, _ROUNDS = 200, 5
_QUIET, _BUSY = "nobody reads", f"{_READERS} readers"
_HEADERS = {
    "Authorization": "Basic " + base64.b64encode(b"user:secret").decode(),
    "X-Experience-API-Version": "1.0.3",
    "Content-Type": "application/json",
}
_CONFIG = """
allow_weak_secrets = true
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = 0
[platform]
url = "http://127.0.0.1:1"
api_key = "key"
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[learners.tokens]
inline = {{ "ana@example.com" = "token" }}
"""
#: each has many answers, and one has to look at every statement to find that there is none
_QUERIES = (
    "limit=200",
    "limit=200&ascending=true",
    "verb=http://adlnet.gov/expapi/verbs/progressed&limit=200&format=canonical",
    "activity=https://content.example.com/course/3&related_activities=true&limit=200",
)


def _statement(number: int) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "actor": {"mbox": f"mailto:l{number % 500}@example.com", "name": "A learner"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/progressed", "display": {"en": "went on"}},
        "object": {
            "id": f"https://content.example.com/course/{number % 20}",
            "definition": {"name": {"en": "A course"}, "description": {"en": "x" * 400}},
        },
        "result": {"extensions": {"https://example.com/ext": "y" * 300}},
    }


async def _post(session: aiohttp.ClientSession, url: str, statements: object) -> None:
    async with session.post(url, headers=_HEADERS, json=statements) as answer:
        if answer.status != 200:  # noqa: PLR2004 - OK
            raise RuntimeError(await answer.text())


async def _read_slowly(session: aiohttp.ClientSession, url: str, query: str) -> None:
    while True:
        async with session.get(f"{url}?{query}", headers=_HEADERS) as answer:
            async for _ in answer.content.iter_chunked(16_384):
                await asyncio.sleep(0.02)


async def _latencies(session: aiohttp.ClientSession, url: str) -> list[float]:
    taken = []
    for number in range(_POSTS):
        began = time.perf_counter()
        await _post(session, url, _statement(number))
        taken.append(time.perf_counter() - began)
    return taken


async def _measure(url: str) -> dict[str, list[list[float]]]:
    """Seconds of each post, by round, without readers and beside them."""
    taken: dict[str, list[list[float]]] = {_QUIET: [], _BUSY: []}
    async with aiohttp.ClientSession() as session, aiohttp.ClientSession() as theirs:
        for start in range(0, _STATEMENTS, _BATCH):
            await _post(session, url, [_statement(start + one) for one in range(_BATCH)])
        for _ in range(_ROUNDS):
            taken[_QUIET].append(await _latencies(session, url))
            readers = [
                asyncio.create_task(_read_slowly(theirs, url, _QUERIES[one % len(_QUERIES)]))
                for one in range(_READERS)
            ]
            await asyncio.sleep(0.5)
            taken[_BUSY].append(await _latencies(session, url))
            for reader in readers:
                reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*readers)
    return taken


def _quantile(values: Sequence[float], part: float) -> float:
    return statistics.quantiles(values, n=100)[round(part * 100) - 1]


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        (folder / "pointsman.toml").write_text(_CONFIG.format(port=port))
        url = f"http://127.0.0.1:{port}"
        arguments = ["run", "--config", str(folder / "pointsman.toml")]
        with pointsman(arguments, folder / "log", f"{url}/readyz"):
            taken = asyncio.run(_measure(f"{url}/xapi/statements"))
    for label, part in (("median", 0.5), ("95th percentile", 0.95)):
        record(
            f"Posts beside slow readers of {_STATEMENTS:,} statements: {label}",
            _QUIET,
            {
                name: Spread.of([1_000 * _quantile(each, part) for each in rounds])
                for name, rounds in taken.items()
            },
            command="python -m bench.bench_queries",
            unit="ms",
        )


if __name__ == "__main__":
    main()
