"""`python -m tests.soak.hostile_crowd URL SECONDS FILE`: what strangers and learners try, at once.

A process of its own, so that it takes no time from the honest players that are measured. FILE has
the launches of learners who attack, as a JSON array. It prints a JSON object: for
each attack how often each status came, "closed" for a connection that was closed unanswered.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

#: in all that is sent of passwords and broken headers; it must be nowhere in the log
MARK = "hunter2-of-the-crowd"
#: what the version before made ids of webhooks with
_NAMESPACE = uuid.UUID("0a3a7a0e-3a56-5d5c-9e4b-6f7d1c3b8e21")
_TEN_MEGABYTES = 10_000_000
_PIECE = b"x" * 65_536
_VERSION = "X-Experience-API-Version: 1.0.3\r\n"


#: from an address, one attack; the status that it comes to
Attack = Callable[[int], Awaitable[str]]


@dataclass
class Crowd:
    """Each attacker has an address of its own, 127.0.0.66 and up."""

    host: str
    port: int
    ends: float
    launches: list[dict[str, Any]]
    seen: dict[str, Counter[str]] = field(default_factory=dict)
    addresses: Iterator[int] = field(default_factory=lambda: itertools.count(66))

    def goes_on(self) -> bool:
        return time.monotonic() < self.ends

    @asynccontextmanager
    async def connected(
        self, address: int
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection(
            self.host, self.port, local_addr=(f"127.0.0.{address}", 0)
        )
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def repeat(self, name: str, attack: Attack, pause: float = 0.0) -> None:
        """Attack until the end; whatever a connection comes to is no reason to stop."""
        address = next(self.addresses)
        statuses = self.seen.setdefault(name, Counter())
        while self.goes_on():
            try:
                async with asyncio.timeout(60):
                    statuses[await attack(address)] += 1
            except (OSError, EOFError, TimeoutError):
                statuses["closed"] += 1
            await asyncio.sleep(pause)

    async def request(self, address: int, head: str, body: bytes = b"") -> str:
        """The status of one request on a connection of its own."""
        async with self.connected(address) as (reader, writer):
            writer.write(head.encode("latin-1", "replace") + body)
            with contextlib.suppress(OSError):
                await writer.drain()
            return await status(reader)


async def status(reader: asyncio.StreamReader) -> str:
    line = await reader.readline()
    words = line.split()
    return words[1].decode("latin-1") if len(words) > 1 else "closed"


def head(method: str, path: str, length: int, *headers: str) -> str:
    lines = [f"{method} {path} HTTP/1.1", "Host: pointsman", f"Content-Length: {length}", *headers]
    return "\r\n".join(lines) + f"\r\n{_VERSION}Connection: close\r\n\r\n"


def _authorization(launch: dict[str, Any]) -> str:
    return f"Authorization: {launch['authorization']}"


def _statement(launch: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "actor": launch["actor"],
        "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
        "object": {"id": launch["activity"]},
        **more,
    }


def slow_heads(crowd: Crowd) -> Attack:
    async def attack(address: int) -> str:
        async with crowd.connected(address) as (reader, writer):
            for byte in b"GET / HTTP/1.1\r\nHost: pointsman\r\nX-Slow: " + b"s" * 600:
                writer.write(bytes([byte]))
                await writer.drain()
                if reader.at_eof():
                    break
                await asyncio.sleep(0.5)
            return await status(reader)

    return attack


def silent(crowd: Crowd) -> Attack:
    async def attack(address: int) -> str:
        async with crowd.connected(address) as (reader, _):
            return await status(reader)

    return attack


def half_bodies(crowd: Crowd) -> Attack:
    async def attack(address: int) -> str:
        launch = random.choice(crowd.launches)
        async with crowd.connected(address) as (reader, writer):
            headers = (_authorization(launch), "Content-Type: application/json")
            writer.write(head("POST", "/xapi/statements", 900_000, *headers).encode())
            writer.write(b"[" + b" " * 400_000)
            await writer.drain()
            return await status(reader)

    return attack


def big_bodies(crowd: Crowd) -> Attack:
    """10 MB from somebody who is not known, or holds a launch."""
    form = "Content-Type: application/x-www-form-urlencoded"
    heads = itertools.cycle(
        [
            head("POST", "/webhooks/lms", _TEN_MEGABYTES, "X-Signature: sha256=" + "0a" * 32),
            head("POST", "/xapi/statements?method=PUT", _TEN_MEGABYTES, form),
            head("POST", "/scorm-cloud/postback", _TEN_MEGABYTES, form),
            head(
                "POST",
                "/xapi/statements",
                _TEN_MEGABYTES,
                _authorization(crowd.launches[0]),
                "Content-Type: application/json",
            ),
        ]
    )

    async def attack(address: int) -> str:
        async with crowd.connected(address) as (reader, writer):
            writer.write(next(heads).encode())
            answered = asyncio.ensure_future(status(reader))
            sent = 0
            with contextlib.suppress(OSError):
                while sent < _TEN_MEGABYTES and not answered.done():
                    writer.write(_PIECE)
                    sent += len(_PIECE)
                    await writer.drain()
            return await answered

    return attack


def wrong_passwords(crowd: Crowd) -> Attack:
    numbers = itertools.count()

    async def attack(address: int) -> str:
        guess = base64.b64encode(f"lms:{MARK}-{next(numbers)}".encode()).decode()
        return await crowd.request(
            address, head("GET", "/xapi/statements", 0, f"Authorization: Basic {guess}")
        )

    return attack


def squatted_ids(crowd: Crowd) -> Attack:
    """A learner states something with the id that the next webhook could be given."""
    numbers = itertools.count()

    async def attack(address: int) -> str:
        launch = random.choice(crowd.launches)
        taken = str(uuid.uuid5(_NAMESPACE, f"lms\x1fevent-{next(numbers)}"))
        body = json.dumps(_statement(launch, id=taken)).encode()
        headers = (_authorization(launch), "Content-Type: application/json")
        path = f"/xapi/statements?statementId={taken}"
        return await crowd.request(address, head("PUT", path, len(body), *headers), body)

    return attack


def full_quotas(crowd: Crowd) -> Attack:
    """Documents and statements as large as may be, for as long as may be."""
    numbers = itertools.count()

    async def attack(address: int) -> str:
        launch, number = random.choice(crowd.launches), next(numbers)
        headers = (_authorization(launch), "Content-Type: application/json")
        if number % 2:
            statement = _statement(launch, result={"response": "r" * 200_000})
            path, method, body = "/xapi/statements", "POST", json.dumps(statement).encode()
        else:
            agent, activity = quote(json.dumps(launch["actor"])), quote(launch["activity"])
            registration = launch["registration"]
            path = (
                f"/xapi/activities/state?stateId=s{number}&activityId={activity}&agent={agent}"
                f"&registration={registration}"
            )
            method, body = "PUT", json.dumps("d" * 400_000).encode()
        return await crowd.request(address, head(method, path, len(body), *headers), body)

    return attack


def malformed(crowd: Crowd) -> Attack:
    """At full speed; some carry what must not get into the log."""
    secret = base64.b64encode(f"lms:{MARK}".encode()).decode()
    requests = itertools.cycle(
        [
            f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {secret}\x01\r\n\r\n",
            f"GET /scorm/{MARK}/data\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
            f"BREW /{MARK} COFFEE/1.0\r\n\r\n",
            "POST /xapi/statements HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
            f"GET /xapi/statements HTTP/1.1\r\nHost: a\r\nX-{MARK}\r\n\r\n",
            "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ]
    )

    async def attack(address: int) -> str:
        return await crowd.request(address, next(requests))

    return attack


async def attack(crowd: Crowd) -> None:
    async with asyncio.TaskGroup() as tasks:

        def many(count: int, name: str, what: Attack, pause: float) -> None:
            for _ in range(count):
                tasks.create_task(crowd.repeat(name, what, pause))

        many(60, "slow heads", slow_heads(crowd), 0.1)
        many(40, "silent", silent(crowd), 0.1)
        many(20, "half bodies", half_bodies(crowd), 0.1)
        many(8, "10 MB bodies", big_bodies(crowd), 0.05)
        many(4, "wrong passwords", wrong_passwords(crowd), 0.0)
        many(2, "squatted ids", squatted_ids(crowd), 0.1)
        many(3, "full quotas", full_quotas(crowd), 0.05)
        many(4, "malformed", malformed(crowd), 0.0)


def main() -> None:
    url, seconds = urlsplit(sys.argv[1]), float(sys.argv[2])
    launches = json.loads(Path(sys.argv[3]).read_bytes())
    crowd = Crowd(url.hostname or "", url.port or 80, time.monotonic() + seconds, launches)
    asyncio.run(attack(crowd))
    print(json.dumps(crowd.seen))  # noqa: T201 - what it is started for


if __name__ == "__main__":
    main()
