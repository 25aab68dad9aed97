"""One daemon, as a process, and senders that mean it harm: memory, the loop, and the log."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import math
import re
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from demo.processes import PATIENCE, free_port, pointsman

CONFIG = """
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = 0
[platform]
url = "http://127.0.0.1:9/helium"
api_key = "a-key-that-no-platform-has-0123456789"
[[sources.http]]
name = "player"
credentials = [{{ key = "user", secret = "{secret}" }}]
[[sources.webhooks]]
name = "quiz"
secret = "{secret}"
signature = {{ header = "X-Sum" }}
learner = "who"
activity = "what"
[[sources.scorm_cloud]]
name = "cloud"
username = "cloud"
password = "{secret}"
[learners.tokens]
file = "tokens.json"
"""
SECRET = "3b0fd7a1c55e4f0c9d0e8a7b6c5d4e3f"
AUTH = {
    "Authorization": "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode(),
    "X-Experience-API-Version": "1.0.3",
    "Content-Type": "application/json",
}
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
#: statements, one after the other, that take as long as the longest wait for a probe may: one takes
#: 2 ms on a quiet machine, and a probe is to be answered within 250
MOST = 100
#: bytes that each stranger sends
LARGE = 10_000_000


@dataclass(frozen=True, slots=True)
class Hostile:
    """The daemon that is attacked."""

    port: int
    pid: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> int:
        """In bytes, all that it has now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    async def send(self, data: bytes, *, then: int = 0) -> bytes:
        """The answer to `data` and `then` further bytes; what was read of it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            for _ in range(then // 100_000):
                writer.write(b"a" * 100_000)
                await writer.drain()
            async with asyncio.timeout(PATIENCE):
                return await reader.read(10_000)
        except ConnectionError:
            return b""
        finally:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    folder = tmp_path_factory.mktemp("hostile")
    port = free_port()
    (folder / "tokens.json").write_text("{}")
    config, log = folder / "pointsman.toml", folder / "log"
    config.write_text(CONFIG.format(port=port, secret=SECRET))
    ready = f"http://127.0.0.1:{port}/readyz"
    with pointsman(["run", "--config", str(config)], log, ready) as process:
        yield Hostile(port, process.pid, log)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.parametrize(
    ("path", "headers", "begin"),
    [
        ("/webhooks/quiz", f"X-Sum: {'0' * 64}\r\n", b""),
        ("/scorm-cloud/postback", FORM, b"data="),
        ("/xapi/statements?method=POST", FORM, b"content="),
        ("/xapi/statements", "", b"["),
    ],
    ids=["webhook", "postback", "alternate syntax", "plain"],
)
async def test_strangers_with_large_bodies_do_not_fill_the_memory(
    daemon: Hostile, path: str, headers: str, begin: bytes
) -> None:
    before = most = daemon.memory()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGE}\r\n{headers}\r\n"
    # a byte less than is said, so that it is held for as long as the daemon waits for it
    crowd = asyncio.gather(
        *(daemon.send(head.encode() + begin, then=LARGE - 100_000) for _ in range(30))
    )
    while not crowd.done():
        most = max(most, daemon.memory())
        await asyncio.sleep(0.01)
    answers = await crowd

    assert {answer.split(b" ")[1] for answer in answers if answer} <= {b"401", b"413"}
    # 30 bodies would be 300 MB
    assert most - before < 60_000_000


def statement(**more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "actor": {"mbox": "mailto:ana@example.com"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
        "object": {"id": "https://content.example.com/c/1"},
        **more,
    }


def group(members: int) -> dict[str, Any]:
    names = [{"mbox": f"mailto:learner-{number}@example.com"} for number in range(members)]
    return {"objectType": "Group", "member": names}


#: large inputs that are legal, or are refused for what is found in them
INPUTS: dict[str, Any] = {
    "1,000 of 9 KB": lambda: [statement(result={"response": "x" * 9_000}) for _ in range(1_000)],
    "200 with groups": lambda: [statement(object=group(500)) for _ in range(200)],
    "a group of thousands": lambda: statement(object=group(4_900)),
    "too large a group": lambda: statement(object=group(200_000)),
    "an array of arrays": lambda: statement(
        context={"extensions": {"http://example.com/x": [[]] * 240_000}}
    ),
}


@pytest.mark.parametrize("name", INPUTS)
async def test_probes_are_answered_while_anything_large_is_taken_in(
    daemon: Hostile, session: aiohttp.ClientSession, name: str
) -> None:
    """The longest wait for a probe, as so many times the cost of one statement."""
    ratio = math.inf
    for _ in range(3):  # the best of three: another process may have the machine meanwhile
        singles = [await timed_post(daemon, session, statement()) for _ in range(20)]
        large = asyncio.create_task(timed_post(daemon, session, INPUTS[name]()))
        longest = 0.0
        while not large.done():
            began = time.perf_counter()
            async with session.get(f"{daemon.url}/healthz") as answer:
                assert answer.status == 200
            longest = max(longest, time.perf_counter() - began)
        await large
        ratio = min(ratio, longest / statistics.median(singles))
        print(f"a probe waited as long as {ratio:.1f} statements")  # noqa: T201 - shown with -s
        if ratio < MOST:
            break

    assert ratio < MOST


async def timed_post(daemon: Hostile, session: aiohttp.ClientSession, body: Any) -> float:
    data = io.BytesIO(json.dumps(body).encode())
    began = time.perf_counter()
    async with session.post(f"{daemon.url}/xapi/statements", data=data, headers=AUTH) as answer:
        assert answer.status in {200, 400}, await answer.text()
        await answer.read()
    return time.perf_counter() - began


MALFORMED = [
    b"POST /scorm/%s/commit HTTP/9.9\r\nAuthorization: Basic %s\r\n\r\n",
    b"GET /xapi/statements HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\x00%s\r\n\r\n",
    b"GET /xapi/statements HTTP/1.1\r\nHost: x\r\nAuthorization Basic %s%s\r\n\r\n",
    b"POST /xapi/statements HTTP/1.1\r\nHost: x\r\nContent-Length: %s%s\r\n\r\n",
    b"GET /?%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: %s\r\n\r\n",
    b"%s %s\r\n\r\n",
    b"POST /scorm/%s/commit HTTP/1.1\r\nHost: x\r\nContent-Encoding: %s\r\n\r\n",
    b"POST /cmi5/fetch/%s HTTP/1.1\r\nHost: x\r\nExpect: %s\r\nContent-Length: 3\r\n\r\n",
    b"GET /xapi/statements?statementId=%s&agent=%%ff%s HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00%s%s",
]


async def test_malformed_requests_get_no_5xx_and_leave_no_secret_in_the_log(
    daemon: Hostile,
) -> None:
    sent = [text % (SECRET.encode(), SECRET.encode()) for text in MALFORMED]
    answers = [await daemon.send(request) for request in sent]
    crowd = [request for request in sent for _ in range(50)]
    for first in range(0, len(crowd), 50):
        answers += await asyncio.gather(*map(daemon.send, crowd[first : first + 50]))

    assert not [answer for answer in answers if answer.startswith(b"HTTP/1.1 5")]
    assert {answer.split(b" ")[1] for answer in answers if answer} >= {b"400", b"401", b"404"}
    for answer in answers:
        assert SECRET.encode() not in answer
        assert b"aiohttp" not in answer.lower()
    log = daemon.log.read_text()
    assert SECRET not in log
    assert "Traceback" not in log
    # once, and not for each of them
    assert 1 <= log.count('"route": "malformed"') <= 10
