"""Commands as a person types them, with an emulator that answers over HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

from demo.processes import PATIENCE
from pointsman.cli import app
from pointsman.domain.clock import SystemClock
from pointsman.emulator import Emulator, builtin_catalogue
from pointsman.emulator.server import serve

KEY = "the-api-key"
ANA = "ana@example.com"
CONFIG = """
[store]
url = "sqlite:///books.db"
[platform]
url = "{url}"
api_key = "{key}"
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[learners.tokens]
inline = {{ "ana@example.com" = "{token}" }}
"""


@dataclass
class Terminal:
    folder: Path
    emulator: Emulator
    token: str

    def run(self, *arguments: str, code: int = 0, says: str = "") -> Result:
        """`pointsman ARGUMENTS`, which ends with this exit code."""
        config = str(self.folder / "pointsman.toml")
        invoke = CliRunner(env={"COLUMNS": "200"}).invoke
        with ThreadPoolExecutor(1) as other:  # a test may have a loop of its own
            result = other.submit(invoke, app, [*arguments, "-c", config], input=says).result()
        assert result.exit_code == code, result.output
        assert KEY not in result.output
        assert self.token not in result.output
        return result

    def json(self, *arguments: str) -> object:
        shown: object = json.loads(self.run(*arguments, "--json").stdout)
        return shown


@contextmanager
def a_terminal(tmp_path: Path) -> Iterator[Terminal]:
    """The emulator runs in a thread of its own; Ana has completed a course and its milestone."""
    emulator = Emulator(builtin_catalogue(), api_key=KEY, clock=SystemClock())
    token = emulator.issue_token(ANA)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()
    urls: list[str] = []

    async def main() -> None:
        async with serve(emulator, host="127.0.0.1", port=0) as url:
            for course in ("course_abc123", "course_def456"):
                query = f'mutation {{ UpdateCourseStatus(id: "{course}", status: "completed") }}'
                await emulator.handle(
                    query={"apiKey": KEY},
                    headers={"authToken": token},
                    body=json.dumps({"query": query}).encode(),
                )
            urls.append(url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    assert ready.wait(PATIENCE)
    (tmp_path / "pointsman.toml").write_text(CONFIG.format(url=urls[0], key=KEY, token=token))
    yield Terminal(tmp_path, emulator, token)
    loop.call_soon_threadsafe(stop.set)
    thread.join(PATIENCE)
    loop.close()
