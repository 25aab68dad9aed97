"""How long a story takes in a store of many statements: `python -m bench.bench_explain`.

The store is filled by hand, with bodies, index and history as the daemon would have written them;
minutes for 10 million, so not part of `make bench`. Wall time of one story, the store open beside
a daemon; a command takes its start in addition.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import zstandard

from pointsman import wiring
from pointsman.config import load
from pointsman.domain.clock import SystemClock
from pointsman.statements.query import key
from pointsman.store.sqlite import SqliteStore
from pointsman.story import Question

_STATEMENTS, _COMMIT, _EACH = 1_000_000, 100, 50
_ROUNDS = 9
_NOW = 1_790_000_000_000_000
_CONFIG = """
allow_weak_secrets = true
[store]
url = "sqlite:///filled.db"
[platform]
url = "http://127.0.0.1:1"
api_key = "key"
[[sources.http]]
name = "players"
credentials = [{ key = "user", secret = "secret" }]
[learners.tokens]
inline = { "ana@example.com" = "token" }
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""
_PROGRESSED = "http://adlnet.gov/expapi/verbs/progressed"
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"


def _learner(number: int) -> str:
    return f"l{number}@example.com"


def _body(name: str, number: int, learners: int) -> bytes:
    # every tenth is of an activity that no rule takes
    host = "elsewhere" if number % 10 == 0 else "content"
    return json.dumps(
        {
            "id": name,
            "actor": {"mbox": f"mailto:{_learner(number % learners)}", "name": "A learner"},
            "verb": {"id": _PROGRESSED},
            "object": {"id": f"https://{host}.example.com/t{number % 9}"},
            "result": {"extensions": {_PROGRESS: number * 100 // _STATEMENTS}},
            "context": {"extensions": {"https://example.com/x": "y" * 200}},
        }
    ).encode()


def _commits(statements: int) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    for block in range(1, statements // _COMMIT + 1):
        first = (block - 1) * _COMMIT
        yield block, [(str(uuid.uuid4()), first + rank) for rank in range(_COMMIT)]


def _fill(path: Path, statements: int) -> None:
    learners = statements // _EACH
    compressor = zstandard.ZstdCompressor(level=1)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        for block, named in _commits(statements):
            bodies = [_body(name, number, learners) for name, number in named]
            at = _NOW + block
            connection.execute(
                "INSERT INTO blocks (id, stored_at, data, keys) VALUES (?, ?, ?, ?)",
                (block, at, compressor.compress(b"".join(bodies)), b""),
            )
            start, rows, moves, ranks = 0, [], [], dict[int, list[int]]()
            for rank, ((name, number), body) in enumerate(zip(named, bodies, strict=True)):
                outcome = "unmatched" if number % 10 == 0 else "applied"
                rows.append((name, number, outcome, "players", at, block, start, len(body)))
                start += len(body)
                who, topic = _learner(number % learners), f"t{number % 9}"
                for one in (
                    key("agent", f"mbox mailto:{who}"),
                    key("verb", _PROGRESSED),
                    key("activity", f"https://content.example.com/{topic}"),
                ):
                    ranks.setdefault(one, []).append(rank)
                if outcome == "applied":
                    change = ["topic_progress", topic, "", 5, 4, 5, "moved"]
                    said = [[name, "players", at, at, "rule 1", [change]]]
                    said[0][2] = said[0][3] = at
                    moves.append((who, at, 1, json.dumps(said)))
            connection.executemany(
                "INSERT INTO statements (id, digest, outcome, source, stored_at, block, start,"
                " length, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '1.0.3')",
                rows,
            )
            connection.executemany(
                "INSERT INTO statement_keys (key, block, ranks) VALUES (?, ?, ?)",
                [(one, block, ",".join(map(str, of))) for one, of in ranks.items()],
            )
            connection.executemany(
                "INSERT INTO moves (learner, at, moved, data) VALUES (?, ?, ?, ?)", moves
            )
        connection.execute("COMMIT")


async def _measure(folder: Path, learners: int) -> dict[str, list[float]]:
    settings = load(folder / "pointsman.toml")
    store = SqliteStore(folder / "filled.db", beside=True)
    await store.open()
    taken: dict[str, list[float]] = {}
    try:
        teller = wiring.teller(settings, store, SystemClock())
        for number in range(_ROUNDS):
            who = _learner(number * 7_919 % learners)
            for name, question in (
                ("a learner", Question(who)),
                ("a learner's topic", Question(who, topic="t1")),
                (
                    "a learner's activity",
                    Question(who, activity="https://content.example.com/t1"),
                ),
            ):
                began = time.perf_counter()
                story = await teller.tell(question, limit=30)
                taken.setdefault(name, []).append(time.perf_counter() - began)
                if not story.events:
                    raise RuntimeError(f"nothing is told of {question}")
    finally:
        await store.close()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bench_explain", description=__doc__)
    parser.add_argument("--statements", type=int, default=_STATEMENTS)
    statements = parser.parse_args().statements
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pointsman.toml").write_text(_CONFIG)
        asyncio.run(SqliteStore(folder / "filled.db").upgrade())
        _fill(folder / "filled.db", statements)
        size = (folder / "filled.db").stat().st_size
        print(f"{statements:,} statements of {statements // _EACH:,} learners, {size / 1e9:.2f} GB")
        for asked, seconds in asyncio.run(_measure(folder, statements // _EACH)).items():
            slowest = max(seconds) * 1_000
            print(f"  {statistics.median(seconds) * 1_000:6.0f} ms, at most {slowest:.0f}  {asked}")


if __name__ == "__main__":
    main()
