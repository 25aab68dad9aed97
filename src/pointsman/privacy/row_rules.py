"""What becomes of a row of any table when a person is forgotten. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import orjson

from pointsman.domain.launch import launch_from_json
from pointsman.domain.pseudonyms import Pseudonyms
from pointsman.privacy.identity_rules import actor_of_identity
from pointsman.privacy.person_matcher import PersonMatcher
from pointsman.store.base import Row
from pointsman.store.personal_data import TABLES, Holds, Table

#: documents that xAPI has, and those that are nobody's; all others are ours, and say in their names
#: whose they are: a registration or a learner, with a word or a day before it
_OF_PLAYERS = frozenset({"state", "activity_profile", "agent_profile"})
_OF_NOBODY = frozenset({"activity", "probe", "replicas"})


class RowRules:
    """`decide` answers for a row: None where it goes, the very same where it stays."""

    def __init__(self, matcher: PersonMatcher, pseudonyms: Pseudonyms) -> None:
        self._matcher = matcher
        self._pseudonym = pseudonyms.of(matcher.person.learner)
        self._own: dict[str, Callable[[Row], bool]] = {
            "documents": self._is_own_document,
            "dead_letters": self._is_own_letter,
            "desired": self._is_own_attendance,
        }

    def decide(self, table: str, row: Row) -> Row | None:
        declared = TABLES[table]
        if self.is_own(table, row):
            return None
        new = {name: self._replaced(declared, name, value) for name, value in row.items()}
        if new == row:
            return row
        if any(value is None and row[name] is not None for name, value in new.items()):
            return None  # bytes that can't be taken apart
        return _consistent(table, row, new)

    def is_own(self, table: str, row: Row) -> bool:
        """Whether the row is this person's alone."""
        own = self._own.get(table)
        learners = (row[name] for name in TABLES[table].holding(Holds.LEARNER))
        return any(name in self._matcher.learners for name in learners) or (
            own is not None and own(row)
        )

    def _replaced(self, table: Table, column: str, value: Any) -> Any:
        """None for bytes that name the person and are neither JSON nor text."""
        match table.columns.get(column, Holds.NOBODY):
            case Holds.WORDS | Holds.OWNER if isinstance(value, str):
                return self._matcher.without_person(value) if value else value
            case Holds.ABOUT:
                return self._about(value)
            case Holds.CONTENT:
                return self._content(bytes(value), is_letter=table is TABLES["dead_letters"])
            case _:
                return value

    def _about(self, learner: str) -> str:
        names = learner.split(", ")
        return ", ".join(
            self._pseudonym if self._matcher.is_learner(name) else name for name in names
        )

    def _content(self, content: bytes, *, is_letter: bool) -> bytes | None:
        if not self._matcher.may_name(content):
            return content
        try:
            value = orjson.loads(content)
        except orjson.JSONDecodeError:
            try:
                text = content.decode()
            except UnicodeDecodeError:
                text = content.decode("latin-1")
                return None if self._matcher.names(text) else content
            new = self._matcher.without_person(text)
            return content if new == text else new.encode()
        if is_letter and isinstance(value, list):
            decided = [self._matcher.decide_statement(statement) for statement in value]
            if all(new is old for new, old in zip(decided, value, strict=True)):
                return content
            return orjson.dumps([new for new in decided if new is not None])
        replaced = self._matcher.replace(value)
        return content if replaced is value else orjson.dumps(replaced)

    def _is_own_document(self, row: Row) -> bool:
        person = self._matcher.person
        if row["resource"] == "launch":
            launch = launch_from_json(bytes(row["content"]))
            return row["name"] in person.registrations or self._matcher.is_theirs(launch.actor)
        if row["resource"] in _OF_NOBODY:
            return False
        if row["resource"] not in _OF_PLAYERS:
            names = (row["name"], row["name"].partition(" ")[2])
            return any(
                name in person.registrations or self._matcher.is_learner(name) for name in names
            )
        if row["registration"] in person.registrations:
            return True
        actor = actor_of_identity(row["agent"])
        return actor is not None and self._matcher.is_theirs(actor)

    def _is_own_attendance(self, row: Row) -> bool:
        return row["kind"] == "meeting_attendance" and any(
            row["key"].endswith(f" {name}") for name in self._matcher.learners
        )

    def _is_own_letter(self, row: Row) -> bool:
        """A statement of theirs, an array of nothing else, or what can't be read and names them."""
        content = bytes(row["body"])
        if not self._matcher.may_name(content):
            return False
        try:
            value = orjson.loads(content)
        except orjson.JSONDecodeError:
            return self._matcher.names(content.decode("utf-8", "replace"))
        if isinstance(value, list):
            return bool(value) and all(map(self._matcher.is_own_statement, value))
        return self._matcher.is_own_statement(value)


def _consistent(table: str, row: Row, new: dict[str, Any]) -> dict[str, Any]:
    """With the hashes that go with what was replaced."""
    if table == "documents" and new["content"] != row["content"] and row["etag"]:
        new["etag"] = hashlib.sha1(new["content"], usedforsecurity=False).hexdigest()
    if table == "dead_letters" and new["body"] != row["body"]:
        new["body_hash"] = hashlib.blake2b(new["body"], digest_size=16).digest()
    return new
