"""Stores the state of the emulated platform in a SQLite file, so that it outlives the process.

One row a learner, as JSON; tokens as their hash. What a request changed is written in one
transaction before the request is answered.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

import orjson
from pydantic import ValidationError

from pointsman.domain.errors import ConfigError
from pointsman.emulator.catalogue import Course, LearningPath
from pointsman.emulator.events.log import MOST, EventLog
from pointsman.emulator.events.record import load_event
from pointsman.emulator.journal import Journal
from pointsman.emulator.state import State
from pointsman.emulator.tokens import IssuedTokens

#: what the file is called where only its folder is named
FILE = "emulator.db"
#: seconds to wait for a process that is just ending to let go of the file
_LOCK_PATIENCE = 2.0
_SCHEMA_VERSION = 2
_SCHEMA = """
BEGIN;
CREATE TABLE learners (email TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE tokens (hash TEXT PRIMARY KEY, email TEXT NOT NULL, expires_at REAL NOT NULL)
    WITHOUT ROWID;
CREATE TABLE things (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
COMMIT;
"""
#: from version 1 to 2
_EVENTS = """
BEGIN;
CREATE TABLE events (number INTEGER PRIMARY KEY, event BLOB NOT NULL);
PRAGMA user_version = 2;
COMMIT;
"""


class NotSavedError(Exception):
    """Something could not be written. It is still in memory, and the next save writes it."""


class StatePersistence:
    """The file of one emulator, which no other process may use meanwhile.

    `path` may be a folder. Raises `ConfigError` when the file can't be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path / FILE if path.is_dir() else path
        try:
            self._db = sqlite3.connect(self.path, timeout=_LOCK_PATIENCE, isolation_level=None)
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        try:
            self._open()
        except sqlite3.Error as error:
            self._db.close()
            raise self._unusable(error) from error
        except ConfigError:
            self._db.close()
            raise

    def _open(self) -> None:
        # two emulators that remember the same learners would overwrite each other's
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        # against the end of the process, not of the machine
        self._db.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > _SCHEMA_VERSION:
            raise self._unusable(f"its version is {version}, this emulator's {_SCHEMA_VERSION}")
        for since, script in enumerate((_SCHEMA, _EVENTS)):
            if version <= since:
                self._db.executescript(script)

    def _unusable(self, why: object) -> ConfigError:
        return ConfigError(f"--data {self.path}: can't be used: {why}")

    def load(self, state: State, tokens: IssuedTokens, journal: Journal, events: EventLog) -> None:
        """Put back what is kept. What has left the catalogue is passed over.

        Raises `ConfigError` for what this emulator didn't write.
        """
        try:
            things = {
                name: orjson.loads(value)
                for name, value in self._db.execute("SELECT name, value FROM things")
            }
            journal.load(things.get("totals", {}))
            # before the records of those who are in them
            state.paths.load(things.get("paths", []))
            for email, record in self._db.execute("SELECT email, record FROM learners"):
                state.load(email, orjson.loads(record))
            for digest, email, expires_at in self._db.execute(
                "SELECT hash, email, expires_at FROM tokens ORDER BY expires_at"
            ):
                tokens.load(digest, email, expires_at)
            contents: dict[str, Course | LearningPath] = {
                **state.catalogue.course_by_id,
                **state.paths.by_id,
            }
            rows = self._db.execute("SELECT event FROM events ORDER BY number")
            loaded = (load_event(orjson.loads(row), state.catalogue, contents) for (row,) in rows)
            events.load(event for event in loaded if event is not None)
        except (sqlite3.Error, ValidationError, orjson.JSONDecodeError) as error:
            raise self._unusable(error) from error

    def save(self, state: State, tokens: IssuedTokens, journal: Journal, events: EventLog) -> None:
        """Write what has changed since the last time. Raises `NotSavedError`."""
        learners = [(email, orjson.dumps(state.dump(email))) for email in state.changed_learners]
        things = [("totals", orjson.dumps(journal.totals()))]
        if state.paths.changed:
            things.append(("paths", orjson.dumps(state.paths.dump())))
        happened = [(event.number, orjson.dumps(event.dump())) for event in events.unsaved]
        changes = tokens.changes
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("REPLACE INTO learners VALUES (?, ?)", learners)
            self._db.executemany("REPLACE INTO things VALUES (?, ?)", things)
            self._db.executemany("REPLACE INTO events VALUES (?, ?)", happened)
            self._db.execute("DELETE FROM events WHERE number <= ?", (events.added - MOST,))
            if changes.all_gone:
                self._db.execute("DELETE FROM tokens")
            self._db.executemany("REPLACE INTO tokens VALUES (?, ?, ?)", changes.new)
            # last: a token may have been issued and have expired since
            gone = [(digest,) for digest in changes.gone]
            self._db.executemany("DELETE FROM tokens WHERE hash = ?", gone)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise NotSavedError(f"{self.path}: {error}") from error
        state.changed_learners.clear()
        state.paths.changed = False
        events.unsaved.clear()
        tokens.forget_changes()

    def clear(self) -> None:
        """Forget everything. Raises `NotSavedError`."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for table in ("learners", "tokens", "things", "events"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - our own four names
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise NotSavedError(f"{self.path}: {error}") from error

    def _roll_back(self) -> None:
        # where a transaction failed to begin, or SQLite has ended it by itself, there is none
        with suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")

    def close(self) -> None:
        self._db.close()
