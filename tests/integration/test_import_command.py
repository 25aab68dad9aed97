"""pointsman import: files and record stores, beside a daemon, resumed after whatever ended it."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner, Result

from demo.processes import PATIENCE, free_port
from pointsman.cli import app
from pointsman.store.base import Settlement
from pointsman.store.sqlite import SqliteStore

CONFIG = """
[http]
max_body_bytes = 4096
[store]
url = "sqlite:///books.db"
[platform]
url = "http://127.0.0.1:9"
api_key = "key"
[learners.tokens]
inline = {}
[[sources.http]]
name = "players"
credentials = [{ key = "user", secret = "secret" }]
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""
PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"


def said(number: int, percent: int, *, who: str = "ana", topic: str = "t") -> dict[str, Any]:
    return {
        "id": str(uuid.UUID(int=number)),
        "actor": {"mbox": f"mailto:{who}@example.com"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/progressed"},
        "object": {"id": f"https://content.example.com/{topic}"},
        "result": {"extensions": {PROGRESS: percent}},
        "timestamp": "2025-03-01T10:00:00Z",
        "stored": f"2025-03-01T10:{number // 60 % 60:02}:{number % 60:02}.000Z",
    }


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "pointsman.toml"
    path.write_text(CONFIG)
    run(path, "db", "upgrade")
    return path


def run(config: Path, *arguments: str, code: int = 0) -> Result:
    with ThreadPoolExecutor(1) as other:
        result = other.submit(CliRunner().invoke, app, [*arguments, "-c", str(config)]).result()
    assert result.exit_code == code, result.output
    return result


def books(config: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(config, "verify", "--json").stdout)
    assert found["balanced"], found
    return found


def test_a_file_is_taken_in_once_and_what_is_wrong_in_it_is_a_dead_letter(
    config: Path, tmp_path: Path
) -> None:
    path = tmp_path / "history.ndjson.gz"
    lines = [
        json.dumps(said(1, 10)),
        "",
        json.dumps([said(2, 20), said(3, 5)]),
        '{"verb": 1}',
        "no json",
        json.dumps({**said(4, 40), "padding": "x" * 9_000}),
        json.dumps(said(5, 30, topic="else/where")),
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    shown = run(config, "import", str(path), code=1)
    assert "2 applied, 1 superseded, 1 unmatched, 3 dead" in shown.output
    assert "pointsman dead-letters list --source import" in shown.output
    letters = json.loads(run(config, "dead-letters", "list", "--json").stdout)
    assert [one["origin"].partition(", ")[2] for one in letters] == [
        *("line 4", "line 5", "line 6")
    ]
    assert "http.max_body_bytes" in letters[2]["reason"]
    assert books(config)["inputs"]["accepted"] == 7
    assert "nothing new" in run(config, "import", str(path)).output
    # under another name, and read again from its beginning, everything is known
    other = tmp_path / "other.ndjson"
    other.write_text("\n".join([lines[0], lines[2]]) + "\n")
    assert "3 known already" in run(config, "import", str(other)).output
    assert books(config)["inputs"]["accepted"] == 7


def test_an_array_may_have_more_statements_than_a_request(config: Path, tmp_path: Path) -> None:
    limits = "max_body_bytes = 1_000_000\nmax_statements = 2"
    config.write_text(CONFIG.replace("max_body_bytes = 4096", limits))
    whole = [said(number, 10, topic=f"t{number}") for number in range(1, 1_203)]
    # without an id each has one of its place, so that a second run finds it
    del whole[1_100]["id"]
    history = tmp_path / "export.json"
    history.write_text(f"{json.dumps(whole)}\n{json.dumps(said(2_000, 20))}\n")
    assert "1,203 applied" in run(config, "import", str(history)).output
    assert "nothing new" in run(config, "import", str(history)).output
    # the same statements in another file are known by their ids
    named = [statement for statement in whole if "id" in statement]
    other = tmp_path / "other.json"
    other.write_text(json.dumps(named))
    assert "1,201 known already" in run(config, "import", str(other)).output
    verified = json.loads(run(config, "verify", "--json").stdout)
    assert (verified["inputs"]["applied"], verified["inputs"]["dead"]) == (1_203, 0)


def test_json_over_several_lines_is_refused_before_anything_is_taken(
    config: Path, tmp_path: Path
) -> None:
    history = tmp_path / "export.json"
    for indented in ([said(1, 10)], said(1, 10)):
        history.write_text(json.dumps(indented, indent=2))
        assert "jq -c ." in run(config, "import", str(history), code=2).output
    verified = json.loads(run(config, "verify", "--json").stdout)
    assert verified["inputs"]["accepted"] == 0


def test_history_that_overlaps_live_traffic_changes_nothing(config: Path, tmp_path: Path) -> None:
    """An LRS has assigned to it what the live statement did not have."""
    live = {
        name: value
        for name, value in said(1, 90).items()
        if name not in {"timestamp", "stored", "authority", "version"}
    }
    path = tmp_path / "live.ndjson"
    path.write_text(json.dumps(live) + "\n")
    run(config, "import", str(path))
    history = {
        **said(1, 90),
        "version": "1.0.0",
        "authority": {"account": {"homePage": "https://lrs.example.com", "name": "k"}},
    }
    other = tmp_path / "history.ndjson"
    other.write_text(json.dumps(history) + "\n")
    assert "1 known already" in run(config, "import", str(other)).output
    assert books(config)["inputs"]["accepted"] == 1


def test_what_is_older_than_delivered_state_changes_nothing(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "history.ndjson"
    path.write_text(json.dumps(said(1, 90)) + "\n")
    run(config, "import", str(path))

    async def deliver() -> None:
        store = SqliteStore(tmp_path / "books.db")
        await store.open()
        (lease,) = await store.lease(now=2**60, ttl=1, limit=1)
        done = [Settlement(one.target, one.version, "delivered") for one in lease.desired]
        assert await store.settle(lease, done, now=2**60, ready_at=2**60)
        await store.close()

    asyncio.run(deliver())
    path.write_text("\n".join(json.dumps(said(number, number)) for number in range(10, 80)))
    assert "70 superseded" in run(config, "import", str(path)).output
    desired = books(config)["desired"]
    assert {name: count for name, count in desired.items() if count} == {"total": 1, "delivered": 1}


def test_killed_again_and_again_it_ends_with_every_statement_applied_once(
    config: Path, tmp_path: Path
) -> None:
    path = tmp_path / "history.ndjson"
    count = 6_000
    path.write_text(
        "\n".join(
            json.dumps(said(number, number % 101, who=f"l{number % 50}"))
            for number in range(1, count + 1)
        )
    )
    command = [sys.executable, "-m", "pointsman", "import", str(path), "-c", str(config)]
    accepted = [0]
    for _ in range(3):
        process = subprocess.Popen(
            [*command, "--rate", "2000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        goal = accepted[-1] + 400
        deadline = time.monotonic() + PATIENCE
        while books(config)["inputs"]["accepted"] < goal and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        accepted.append(books(config)["inputs"]["accepted"])
    assert 0 < accepted[1] < accepted[2] < accepted[3] < count
    shown = run(config, "import", str(path)).output
    assert "known already" not in shown  # it went on where it was
    assert books(config)["inputs"]["accepted"] == count
    assert books(config)["desired"]["dirty"] == 50


def test_options_that_do_not_fit_are_refused(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "history.ndjson"
    path.write_text("{}")
    assert "options for an LRS" in run(config, "import", str(path), "--key", "k", code=2).output
    missing = run(config, "import", str(tmp_path / "nothing"), code=2)
    assert "nothing can't be read" in missing.output


class RecordStore:
    """A small LRS: statements by `stored`, pages of 3, and troubles in between."""

    def __init__(self) -> None:
        self.statements = [said(number, number) for number in range(1, 11)]
        self.queries: list[dict[str, str]] = []
        self.troubles = 0
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/data/xapi"

    async def answer(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Basic a2V5OnNlY3JldA==":
            return web.Response(status=401, text="who are you?")
        assert request.headers["X-Experience-API-Version"] == "1.0.3"
        self.queries.append(dict(request.query))
        if self.troubles:
            self.troubles -= 1
            return web.Response(status=503, headers={"Retry-After": "0"})
        start = int(request.query.get("page", "0"))
        since = request.query.get("since", "").replace("+00:00", "Z")
        chosen = [one for one in self.statements if one["stored"] > since]
        page, rest = chosen[start : start + 3], chosen[start + 3 :]
        more = f"/data/xapi/statements?page={start + 3}&since={since}" if rest else ""
        return web.json_response({"statements": page, "more": more})


@contextmanager
def serving(lrs: RecordStore) -> Iterator[None]:
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        server = web.Application()
        server.router.add_get("/data/xapi/statements", lrs.answer)
        runner = web.AppRunner(server)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", lrs.port).start()
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def test_another_record_store_is_read_page_by_page_and_later_from_where_it_was(
    config: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    lrs = RecordStore()
    lrs.troubles = 1
    ask = ["import", lrs.url, "--key", "key", "--secret-file", str(secret)]
    with serving(lrs):
        shown = run(config, *ask, "--verb", "http://adlnet.gov/expapi/verbs/progressed").output
        assert "10 applied" in shown
        assert lrs.queries[0]["ascending"] == "true"
        assert lrs.queries[0]["verb"] == "http://adlnet.gov/expapi/verbs/progressed"
        assert "since" not in lrs.queries[0]
        lrs.statements += [said(number, number) for number in range(11, 13)]
        shown = run(config, *ask, "--verb", "http://adlnet.gov/expapi/verbs/progressed").output
        assert "2 applied, 1 known already" in shown
        refused = run(config, "import", lrs.url, "--key", "key", code=2).output
        assert "who are you?" in refused
    assert books(config)["inputs"]["accepted"] == 12
