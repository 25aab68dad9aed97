"""A real Prometheus that scrapes a daemon each second, with the rules of the mixin."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from demo.children import Child
from demo.processes import NotUp, answers, free_port, stop, wait_until_up
from tests.support.promtool import MIXIN, RULES, program


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Its HTTP API."""

    url: str
    session: aiohttp.ClientSession

    async def api(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer that is a success."""
        async with self.session.get(f"{self.url}/api/v1/{path}", params=parameters) as answer:
            payload = await answer.json()
        assert payload["status"] == "success", (parameters, payload)
        return payload["data"]

    async def values(self, expr: str) -> list[float]:
        """What an instant query returns, one number a series."""
        found = await self.api("query", query=expr)
        return [float(one["value"][1]) for one in found["result"]]


@contextlib.asynccontextmanager
async def scraping(folder: Path, target: str, namespace: str) -> AsyncIterator[Prometheus]:
    """Up when it is ready; `target` is host and port."""
    port = free_port()
    process = await asyncio.to_thread(_start, folder, target, namespace, port)
    try:
        async with aiohttp.ClientSession() as session:
            yield Prometheus(f"http://127.0.0.1:{port}", session)
    finally:
        await asyncio.to_thread(stop, process)


def _start(folder: Path, target: str, namespace: str, port: int) -> Child:
    static = {"targets": [target], "labels": {"namespace": namespace}}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(MIXIN / name) for name in RULES],
        "scrape_configs": [{"job_name": "pointsman", "static_configs": [static]}],
    }
    path = folder / "prometheus.yaml"
    path.write_text(yaml.safe_dump(config))
    command = [
        program("prometheus"),
        f"--config.file={path}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
        "--log.level=warn",
    ]
    log = folder / "prometheus.log"
    with log.open("wb") as output:
        process = Child(command, output=output)
    try:
        wait_until_up(process, lambda: answers(f"http://127.0.0.1:{port}/-/ready"))
    except NotUp as reason:
        raise RuntimeError(f"Prometheus {reason}:\n{log.read_text()[-3000:]}") from None
    return process
