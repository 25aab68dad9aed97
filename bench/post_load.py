"""Posts statements or SCORM commits as fast as they are answered, from a process of its own.

`python -m bench.post_load` reads one `Job` as JSON from its input, and writes seconds, CPU seconds
of its own, statuses, and the milliseconds within which 99 % were answered. It speaks HTTP by hand,
so that it takes little of the machine from what is measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import uvloop

_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
#: near now, as players' clocks are
_START = datetime.now(UTC) - timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Job:
    """`statements` in bodies of `batch`; 0 is one statement that is no array.

    Each connection has its own Authorization, one of `senders` in turn: a header, and the learner
    where it is a launched player's. The others are `learners` with this prefix of their names. A
    path in place of the header is what a SCORM player commits to, and each commit is a statement.
    The connections of one sender take the next request of its own, so that none is left with a
    rest.
    """

    port: int
    statements: int
    batch: int
    connections: int
    senders: list[tuple[str, str]]
    learners: int
    prefix: str
    #: progress goes on from round to round
    round: int


def statement(job: Job, number: int, learner: str) -> dict[str, Any]:
    """A player's report of progress, of about 1.4 KB."""
    name = learner or f"{job.prefix}{number % job.learners}@example.com"
    course = number % 7
    at = _START + timedelta(milliseconds=number)
    activity = "https://content.example.com/course/topic"
    return {
        "id": str(uuid.uuid4()),
        "actor": {"objectType": "Agent", "name": "A Learner", "mbox": f"mailto:{name}"},
        "verb": {
            "id": "http://adlnet.gov/expapi/verbs/progressed",
            "display": {"en-US": "progressed"},
        },
        "object": {
            "objectType": "Activity",
            "id": activity if learner else f"https://content.example.com/c{course}/t{number % 5}",
            "definition": {
                "name": {"en-US": "Clothing and tools"},
                "description": {"en-US": "What to wear, and what to have at hand. " * 6},
                "type": "http://adlnet.gov/expapi/activities/lesson",
            },
        },
        "result": {
            "duration": "PT12M30.5S",
            "response": "It is the second, for the first has no handle. " * 4,
            "extensions": {_PROGRESS: min(99, 1 + job.round)},
        },
        "context": {
            **({} if learner else {"registration": str(uuid.UUID(int=number % job.learners))}),
            "platform": "A player",
            "language": "en-US",
            "contextActivities": {
                "parent": [{"id": activity}],
                "category": [{"id": "https://w3id.org/xapi/a-category"}],
            },
        },
        "timestamp": at.isoformat(),
    }


def commit(job: Job, number: int) -> dict[str, Any]:
    """What scorm-again sends of SCORM 1.2 when a course commits, about 1 KB."""
    score = {"raw": "", "min": "0", "max": "100"}
    return {
        "cmi": {
            "suspend_data": f"round={job.round};page={number};" + "seen=1,2,3,5,8;" * 20,
            "launch_data": "",
            "comments": "",
            "core": {
                "student_id": "",
                "lesson_location": f"page-{number}",
                "lesson_status": "incomplete",
                "exit": "",
                "session_time": f"00:{number % 60:02}:34.5",
                "score": score | {"raw": str(min(99, 1 + job.round))},
            },
            "objectives": {"0": {"id": "first", "status": "completed", "score": score}},
            "student_data": {"mastery_score": "", "max_time_allowed": ""},
            "interactions": {
                "0": {"id": "q1", "type": "choice", "student_response": "a", "result": "correct"}
            },
        }
    }


def _commits(job: Job, path: str, first: int, count: int) -> Iterator[bytes]:
    for number in range(first, first + count):
        body = json.dumps(commit(job, number)).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\n"
            f"Content-Type: application/json;charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def _requests(job: Job, sender: tuple[str, str], first: int, count: int) -> Iterator[bytes]:
    authorization, learner = sender
    if authorization.startswith("/"):
        yield from _commits(job, authorization, first, count)
        return
    each = max(1, job.batch)
    for start in range(first, first + count, each):
        numbers = range(start, min(start + each, first + count))
        statements = [statement(job, number, learner) for number in numbers]
        body = json.dumps(statements if job.batch else statements[0]).encode()
        head = (
            f"POST /xapi/statements HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\n"
            f"Authorization: {authorization}\r\nX-Experience-API-Version: 1.0.3\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


class _Sender(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the one before is whole."""

    def __init__(
        self, requests: Iterator[bytes], statuses: Counter[int], took: list[float]
    ) -> None:
        self._left = requests
        self._statuses, self._took = statuses, took
        self._asked = 0.0
        self._buffer = b""
        self._transport = cast("asyncio.WriteTransport", None)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def begin(self) -> None:
        request = next(self._left, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
        else:
            self._asked = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = 0
        for line in head.split(b"\r\n"):
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        if len(rest) >= length:
            self._statuses[int(head[9:12])] += 1
            self._took.append(time.perf_counter() - self._asked)
            self._buffer = b""
            self.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("closed before all was answered"))


async def _run(job: Job) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    statuses: Counter[int] = Counter()
    took: list[float] = []
    each = job.statements // len(job.senders)
    left = [
        iter(list(_requests(job, sender, place * each, each)))
        for place, sender in enumerate(job.senders)
    ]
    senders = []
    for place in range(job.connections):
        requests = left[place % len(left)]
        _, protocol = await loop.create_connection(
            partial(_Sender, requests, statuses, took), "127.0.0.1", job.port
        )
        senders.append(protocol)
    began, cpu = time.perf_counter(), time.process_time()
    for protocol in senders:
        protocol.begin()
    await asyncio.gather(*(protocol.done for protocol in senders))
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "p99": 1_000 * sorted(took)[len(took) * 99 // 100],
        "statuses": dict(statuses),
    }


def as_json(job: Job) -> str:
    """What this module reads from its input."""
    return json.dumps(asdict(job))


def main() -> None:
    result = uvloop.run(_run(Job(**json.load(sys.stdin))))
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
