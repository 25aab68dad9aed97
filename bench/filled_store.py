"""Fills a store with statements as a daemon would have written them, but in bulk.

Bodies, the index of queries, history, desired state, deliveries and some dead letters. A few
hundred thousand statements a minute.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import zstandard

from pointsman.statements.query import key
from pointsman.store.named_sql import load

#: microseconds: when the first commit was
NOW = 1_790_000_000_000_000
#: statements of each learner, and of each commit; topics; dead letters
EACH, _OF_COMMIT, _TOPICS, _LETTERS = 50, 100, 9, 5_000
#: statements whose rows are written at once
_AT_ONCE = 50_000
_VERB = "http://adlnet.gov/expapi/verbs/progressed"
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_PADDING = "y" * 200
_SQL = load("bench", "filled_store.sql")
_COLUMNS = {
    "blocks": ("id", "stored_at", "data", "keys"),
    "statements": (
        *("id", "digest", "outcome", "source", "stored_at", "block", "start", "length", "version"),
    ),
    "statement_keys": ("key", "block", "ranks"),
    "moves": ("learner", "at", "moved", "data"),
    "turns": ("learner", "at", "data"),
    "dead_letters": (
        *("source", "origin", "reason", "in_statements", "received_at", "body_hash", "body"),
    ),
}


def learner(number: int) -> str:
    return f"l{number}@example.com"


@dataclass
class _Rows:
    """Rows by table."""

    of: dict[str, list[tuple[Any, ...]]] = field(
        default_factory=lambda: {table: [] for table in _COLUMNS}
    )

    def add(self, table: str, *values: object) -> None:
        self.of[table].append(values)


class _Writer:
    """Makes the rows of dead letters and of commits, in batches."""

    def __init__(self, statements: int) -> None:
        self._statements = statements
        self._learners = statements // EACH
        self._compressor = zstandard.ZstdCompressor(level=1)
        self._verb = key("verb", _VERB)
        self._activities = [
            key("activity", f"https://content.example.com/t{topic}") for topic in range(_TOPICS)
        ]

    def batches(self) -> Iterator[_Rows]:
        rows = _Rows()
        for number in range(_LETTERS):
            body = json.dumps({"actor": learner(number), "x": "y" * 1_200}).encode()
            digest = hashlib.sha256(body).digest()
            letter = ("bus", f"{number}", "no verb", False, NOW, digest, body)
            rows.add("dead_letters", *letter)
        for block in range(1, self._statements // _OF_COMMIT + 1):
            self._commit(block, rows)
            if block % (_AT_ONCE // _OF_COMMIT) == 0:
                yield rows
                rows = _Rows()
        yield rows

    def _commit(self, block: int, rows: _Rows) -> None:
        at, start = NOW + block, 0
        bodies: list[bytes] = []
        ranks: dict[int, list[str]] = {}
        for rank in range(_OF_COMMIT):
            number = (block - 1) * _OF_COMMIT + rank
            who, topic, name = learner(number % self._learners), number % _TOPICS, str(uuid.uuid4())
            is_taken = number % 10 != 0  # the others are of an activity that no rule takes
            body = self._body(name, number, who, topic, is_taken=is_taken)
            bodies.append(body)
            outcome = "applied" if is_taken else "unmatched"
            rows.add(
                *("statements", name, number, outcome, "players", at, block, start, len(body)),
                "1.0.3",
            )
            start += len(body)
            agent = key("agent", f"mbox mailto:{who}")
            for one in (agent, self._verb, self._activities[topic]):
                ranks.setdefault(one, []).append(str(rank))
            if is_taken:
                self._history(rows, name, who, topic, at)
        for one, of in ranks.items():
            rows.add("statement_keys", one, block, ",".join(of))
        rows.add("blocks", block, at, self._compressor.compress(b"".join(bodies)), None)

    def _body(self, name: str, number: int, who: str, topic: int, *, is_taken: bool) -> bytes:
        host = "content" if is_taken else "elsewhere"
        progress = number * 100 // self._statements
        return (
            f'{{"id":"{name}","actor":{{"mbox":"mailto:{who}","name":"A learner"}},'
            f'"verb":{{"id":"{_VERB}"}},"object":{{"id":"https://{host}.example.com/t{topic}"}},'
            f'"result":{{"extensions":{{"{_PROGRESS}":{progress}}}}},'
            f'"context":{{"extensions":{{"https://example.com/x":"{_PADDING}"}}}}}}'
        ).encode()

    def _history(self, rows: _Rows, name: str, who: str, topic: int, at: int) -> None:
        target = f'"topic_progress","t{topic}"'
        change = f'[{target},"",5,4,5,"moved"]'
        data = f'[["{name}","players",{at},{at},"rule 1",[{change}]]]'
        rows.add("moves", *(who, at, True, data))
        mutation = f'[{target},5,"done",""]'
        request = f'["{name[:8]}-1",{at},2,0.05,"answered","",[{mutation}]]'
        settled = f'[{target},5,1,"delivered","","",0,{at},{at},"{name}","rule 1"]'
        rows.add("turns", who, at, f'["",[{request}],[{settled}]]')


def fill_sqlite(path: Path, statements: int) -> None:
    """A store that was made already; minutes for 10 million."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -3000000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        for rows in _Writer(statements).batches():
            for table, values in rows.of.items():
                columns = _COLUMNS[table]
                marks = ", ".join("coalesce(?, x'')" if c == "keys" else "?" for c in columns)
                query = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of ours
                connection.executemany(query, values)
        _finish_sqlite(connection, statements)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")


def _finish_sqlite(connection: sqlite3.Connection, statements: int) -> None:
    for name in ("sqlite_desired", "sqlite_learners"):
        connection.execute(_SQL[name], {"learners": statements // EACH, "topics": _TOPICS})


async def fill_postgres(dsn: str, statements: int) -> None:
    """A store that was made already; its indexes are those of a daemon, and it is analysed."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET synchronous_commit = off")
        for rows in _Writer(statements).batches():
            for table, values in rows.of.items():
                if table == "blocks":
                    values = [(*row[:3], []) for row in values]  # noqa: PLW2901 - its own kind of array
                await connection.copy_records_to_table(
                    table, records=values, columns=_COLUMNS[table]
                )
        for name in ("postgres_desired", "postgres_learners"):
            sizes = (statements // EACH, _TOPICS)[: 2 if name == "postgres_desired" else 0]
            await connection.execute(_SQL[name], *sizes)
        await connection.execute(
            "SELECT setval(pg_get_serial_sequence('blocks', 'id'), max(id)) FROM blocks"
        )
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
