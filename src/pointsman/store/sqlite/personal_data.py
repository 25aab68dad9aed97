"""Finds, changes and erases rows of any table, for a person who is to be forgotten."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import zstandard

from pointsman.domain.errors import StoreUnavailable
from pointsman.store import table_sql
from pointsman.store.block_rewrite import DecideStatement, PlacedStatement, new_ranks, rewrite
from pointsman.store.named_sql import load
from pointsman.store.personal_data import TABLES, tables_of_learners
from pointsman.store.personal_data_store import BlockChange, DecideRow, RefusedLearner, Row
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.ingest import COMPRESSION_LEVEL, index_waiting_keys
from pointsman.store.sqlite.rows import SQL, pack_keys, to_json, unpack_keys
from pointsman.store.sqlite.schema import connect
from pointsman.store.sqlite.soundness import is_damage, log_of

PRIVACY_SQL = load("pointsman.store.sqlite", "personal_data.sql")
_IN = "IN (SELECT value FROM json_each(?))"
#: bytes read at once of the file
_CHUNK = 4_194_304
#: how often a compaction is tried while others have the file, each for the connection's patience
_TRIES = 6


class SqlitePersonalData(SqliteConnections):
    """A `PersonalDataStore` on the file."""

    async def installation_secret(self) -> bytes:
        def read(connection: sqlite3.Connection) -> bytes:
            (secret,) = connection.execute(PRIVACY_SQL["installation_secret"]).fetchone()
            return bytes(secret)

        return await self._read(read)

    async def table_columns(self) -> dict[str, set[str]]:
        def read(connection: sqlite3.Connection) -> dict[str, set[str]]:
            return {
                table: {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
                for (table,) in connection.execute(PRIVACY_SQL["tables"]).fetchall()
            }

        return await self._read(read)

    async def rows_where(self, table: str, column: str, values: Sequence[object]) -> list[Row]:
        query = table_sql.select_where(table, column, _IN)
        return await self._read(lambda db: list(_rows(db.execute(query, (to_json(list(values)),)))))

    async def scan_rows(self, table: str, take: Callable[[Row], None]) -> None:
        def read(connection: sqlite3.Connection) -> None:
            for row in _rows(connection.execute(table_sql.select_all(table))):
                take(row)

        await self._searcher.run(read)

    async def scan_blocks(self, take: Callable[[int, bytes], None]) -> None:
        def read(connection: sqlite3.Connection) -> None:
            decompressor = zstandard.ZstdDecompressor()
            for block, data in connection.execute(PRIVACY_SQL["all_blocks"]):
                take(block, decompressor.decompress(data))

        await self._searcher.run(read)

    async def change_rows(self, table: str, keys: Sequence[Row], decide: DecideRow) -> int:
        return await self._write(lambda db: _change_rows(db, table, keys, decide))

    async def erase_learner(self, names: Sequence[str], *, now: int) -> int | None:
        return await self._write(lambda db: _erase_learner(db, names, now))

    async def change_blocks(
        self, blocks: Sequence[int], decide: DecideStatement, erased_keys: frozenset[int]
    ) -> BlockChange:
        def change(connection: sqlite3.Connection) -> BlockChange:
            index_waiting_keys(connection)
            changes = (_change_block(connection, block, decide, erased_keys) for block in blocks)
            return sum(changes, BlockChange())

        return await self._write(change)

    async def blocks_with_keys(self, keys: Sequence[int]) -> list[int]:
        def read(connection: sqlite3.Connection) -> list[int]:
            rows = connection.execute(PRIVACY_SQL["blocks_with_keys"], (to_json(list(keys)),))
            return [block for (block,) in rows]

        return await self._read(read)

    async def compact(self) -> None:
        """Write the file again without its free space, and empty the log; others wait meanwhile."""
        await asyncio.to_thread(self._compact)

    async def raw_remains(
        self, needles: Sequence[bytes], within: Sequence[bytes]
    ) -> dict[bytes, int]:
        return await asyncio.to_thread(self._raw_remains, needles, within)

    async def refuse_learners(self, refused: Sequence[RefusedLearner]) -> None:
        rows = [(one.hash, one.person, one.refused_at, one.until, one.inputs) for one in refused]
        await self._write(lambda db: db.executemany(PRIVACY_SQL["refuse_learner"], rows) and None)

    async def refused_learners(self) -> list[RefusedLearner]:
        return await self._read(
            lambda db: [
                RefusedLearner(**row) for row in _rows(db.execute(PRIVACY_SQL["read_refused"]))
            ]
        )

    async def count_refused(self, inputs: Mapping[str, int], *, now: int) -> None:
        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(PRIVACY_SQL["count_refused"], list(inputs.items()))
            connection.execute(PRIVACY_SQL["end_refused"], (now,))

        await self._write(write)

    def _compact(self) -> None:
        for left in reversed(range(_TRIES)):
            try:
                with closing(connect(self._path)) as connection:
                    connection.execute("VACUUM")
                    (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error as error:
                if not left or is_damage(error):
                    raise self._damage.error_of(error, "be compacted") from error
            else:
                if not is_busy:
                    return
        raise StoreUnavailable("the SQLite store is read all the time, so its log can't be emptied")

    def _raw_remains(self, needles: Sequence[bytes], within: Sequence[bytes]) -> dict[bytes, int]:
        wanted = [needle.lower() for needle in needles]
        longer = sorted((word.lower() for word in within), key=len, reverse=True)
        longest = max(map(len, (*wanted, *longer)), default=1)
        remains: Counter[bytes] = Counter()
        for chunks in (self._chunks(), _chunks_of_log(log_of(self._path))):
            before = b""
            for chunk in chunks:
                text = masked = before + chunk.lower()
                for word in longer:
                    masked = masked.replace(word, bytes(len(word)))
                for needle in wanted:
                    # what ends in the part that was read before is counted already
                    start = max(0, len(before) - len(needle) + 1)
                    remains[needle] += masked.count(needle, start)
                before = text[-longest:]
        return {needle: count for needle, count in remains.items() if count}

    def _chunks(self) -> Iterator[bytes]:
        """Of the database file."""
        at = 0
        while chunk := self._lock.read(at, _CHUNK):
            yield chunk
            at += len(chunk)


def _chunks_of_log(path: Path) -> Iterator[bytes]:
    with suppress(FileNotFoundError), path.open("rb") as log:
        while chunk := log.read(_CHUNK):
            yield chunk


def _rows(cursor: sqlite3.Cursor) -> Any:
    names = [name for name, *_ in cursor.description]
    return (dict(zip(names, row, strict=True)) for row in cursor)


def _parameter(place: int) -> str:
    return f"?{place}"


def _change_rows(
    connection: sqlite3.Connection, table: str, keys: Sequence[Row], decide: DecideRow
) -> int:
    changed = 0
    for wanted in keys:
        key = [wanted[name] for name in TABLES[table].key]
        rows = list(_rows(connection.execute(table_sql.select_row(table, _parameter), key)))
        for row in rows:
            new = decide(row)
            if new is None:
                connection.execute(table_sql.delete_row(table, _parameter), key)
            elif new != row:
                columns = [name for name in row if new[name] != row[name]]
                values = [new[name] for name in columns]
                query = table_sql.update_row(table, columns, _parameter)
                connection.execute(query, [*key, *values])
            changed += new is None or new != row
    return changed


def _erase_learner(connection: sqlite3.Connection, names: Sequence[str], now: int) -> int | None:
    endings = [f" {name}" for name in names]
    meetings = {
        meeting
        for ending in endings
        for (meeting,) in connection.execute(PRIVACY_SQL["meetings_of_learner"], (ending,))
    }
    recipients = to_json([*names, *meetings])
    (leased,) = connection.execute(PRIVACY_SQL["leased"], (recipients, now)).fetchone()
    if leased:
        return None
    erased = 0
    for ending in endings:
        erased += connection.execute(PRIVACY_SQL["erase_attendance"], (ending,)).rowcount
    if meetings:
        connection.execute(SQL["requeue_freed"], (to_json(list(meetings)),))
    for table, column in tables_of_learners():
        query = table_sql.delete_where(table, column, _IN)
        erased += connection.execute(query, (to_json(list(names)),)).rowcount
    return erased


def _change_block(
    connection: sqlite3.Connection,
    block: int,
    decide: DecideStatement,
    erased_keys: frozenset[int],
) -> BlockChange:
    stored = connection.execute(PRIVACY_SQL["read_block_and_keys"], (block,)).fetchone()
    if stored is None:  # it was pruned meanwhile
        return BlockChange()
    data, packed = stored
    keys = unpack_keys(packed)
    rows = [
        PlacedStatement(**row)
        for row in _rows(connection.execute(PRIVACY_SQL["placed_statements"], (block,)))
    ]
    new = rewrite(zstandard.ZstdDecompressor().decompress(data), rows, decide)
    if not new.is_changed and not erased_keys.intersection(keys):
        # statements that came later may have brought keys with them (statement_index.late_rows)
        connection.execute(PRIVACY_SQL["erase_keys"], (to_json(list(erased_keys)), block))
        return BlockChange()
    if new.erased:
        connection.execute(PRIVACY_SQL["erase_statements"], (to_json(new.erased),))
        connection.execute(PRIVACY_SQL["erase_refs"], (block, to_json(new.erased)))
        connection.execute(SQL["add_forgotten"], (to_json(dict(new.outcomes)),))
    old_ranks = connection.execute(PRIVACY_SQL["ranks_of_keys"], (to_json(keys), block)).fetchall()
    ranks = new_ranks(old_ranks, new.ranks, erased_keys)
    gone = [key for key, text in ranks.items() if text is None]
    connection.execute(PRIVACY_SQL["erase_keys"], (to_json([*gone, *erased_keys]), block))
    if not new.statements:
        connection.execute(PRIVACY_SQL["erase_block"], (block,))
        return BlockChange(len(new.erased), new.replaced)
    staying = [(key, text) for key, text in ranks.items() if text is not None]
    connection.execute(PRIVACY_SQL["save_ranks"], (to_json(staying), block))
    places = [(one.statement_id, one.start, one.length) for one in new.statements]
    connection.execute(PRIVACY_SQL["place_statements"], (to_json(places),))
    if new.is_changed:
        data = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(new.bodies)
    kept = pack_keys([key for key, _ in staying])
    connection.execute(PRIVACY_SQL["save_block"], (data, kept, block))
    return BlockChange(len(new.erased), new.replaced)
