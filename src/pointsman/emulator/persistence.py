"""Keeping what the emulated platform knows in a SQLite file, so that it outlives the process.

One row a learner, as JSON; tokens as their hash. What a request changed is written in one
transaction before the request is answered.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import orjson

from pointsman.emulator.journal import Journal
from pointsman.emulator.state import State
from pointsman.emulator.tokens import Tokens
from pointsman.errors import ConfigError

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE learners (email TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE tokens (hash TEXT PRIMARY KEY, email TEXT NOT NULL, expires_at REAL NOT NULL)
    WITHOUT ROWID;
CREATE TABLE things (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


class Keeper:
    """The file of one emulator. Raises `ConfigError` when it can't be used."""

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            # against the end of the process, not of the machine
            self._db.execute("PRAGMA synchronous = NORMAL")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._db.executescript(_SCHEMA)
            elif version != _SCHEMA_VERSION:
                raise ConfigError(f"--data {path}: is of another version of the emulator")
        except sqlite3.Error as error:
            raise ConfigError(f"--data {path}: can't be used: {error}") from error

    def load(self, state: State, tokens: Tokens, journal: Journal) -> None:
        """Put back what is kept."""
        for email, record in self._db.execute("SELECT email, record FROM learners"):
            state.load(email, orjson.loads(record))
        things = {
            name: orjson.loads(value)
            for name, value in self._db.execute("SELECT name, value FROM things")
        }
        state.paths.load(things.get("paths", []))
        journal.load(things.get("totals", {}))
        for digest, email, expires_at in self._db.execute(
            "SELECT hash, email, expires_at FROM tokens ORDER BY expires_at"
        ):
            tokens.load(digest, email, expires_at)

    def save(self, state: State, tokens: Tokens, journal: Journal) -> None:
        """Write what has changed since the last time."""
        learners = [(email, orjson.dumps(state.dump(email))) for email in state.touched]
        things = [("totals", orjson.dumps(journal.totals()))]
        if state.paths.touched:
            things.append(("paths", orjson.dumps(state.paths.dump())))
        changes = tokens.changes()
        self._db.execute("BEGIN")
        self._db.executemany("REPLACE INTO learners VALUES (?, ?)", learners)
        self._db.executemany("REPLACE INTO things VALUES (?, ?)", things)
        if changes.all_gone:
            self._db.execute("DELETE FROM tokens")
        self._db.executemany(
            "DELETE FROM tokens WHERE hash = ?", [(digest,) for digest in changes.gone]
        )
        self._db.executemany("REPLACE INTO tokens VALUES (?, ?, ?)", changes.new)
        self._db.execute("COMMIT")
        state.touched.clear()
        state.paths.touched = False

    def clear(self) -> None:
        """Forget everything."""
        self._db.executescript(
            "BEGIN; DELETE FROM learners; DELETE FROM tokens; DELETE FROM things; COMMIT;"
        )

    def close(self) -> None:
        self._db.close()
