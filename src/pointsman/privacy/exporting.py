"""Hands out all that a store holds of a person, what was derived of it included, as JSON."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from pointsman.domain.pseudonyms import Pseudonyms
from pointsman.privacy.identity_rules import IdentityRules
from pointsman.privacy.person_finder import find_person
from pointsman.privacy.person_matcher import PersonMatcher
from pointsman.privacy.row_rules import RowRules
from pointsman.store.base import PersonalDataStore, Row
from pointsman.store.block_rewrite import bodies_of
from pointsman.store.personal_data import TABLES, Holds

#: commits that are read at once
_AT_ONCE = 50
#: what is a secret of the platform's, and no record of the person
_SECRET = frozenset({"sealed"})
_PERSONAL = (Holds.LEARNER, Holds.WORDS, Holds.CONTENT, Holds.OWNER, Holds.ABOUT)


async def export_person(
    store: PersonalDataStore, learner: str, rules: IdentityRules
) -> dict[str, Any]:
    """All of it, always in the same order. Raises `StoreUnavailable`.

    `statements` are those of the person. Of others' statements that name them `mentioned_in` has
    the ids alone: what else is in them is the others' own.
    """
    pseudonyms = Pseudonyms(await store.installation_secret())
    person = await find_person(store, learner, rules)
    matcher = PersonMatcher(person, rules, "")
    row_rules = RowRules(matcher, pseudonyms)
    statements, mentions = await _statements(store, matcher)
    tables: dict[str, list[dict[str, Any]]] = {}
    present = await store.table_columns()
    for table, declared in TABLES.items():
        if table in present and declared.holding(*_PERSONAL):
            tables[table] = await _rows(store, table, row_rules)
    sha2s = [
        one["sha2"]
        for statement in statements
        for one in statement["statement"].get("attachments", ())
        if isinstance(one, dict) and isinstance(one.get("sha2"), str)
    ]
    attachments = await store.rows_where("attachments", "sha2", sorted({*sha2s}))
    tables["attachments"] = [_readable(row) for row in attachments]
    return {
        "learner": person.learner,
        "pseudonym": pseudonyms.of(person.learner),
        "identifiers": sorted((asdict(actor) for actor in person.actors), key=str),
        "names": sorted(person.names),
        "registrations": sorted(person.registrations),
        "statements": statements,
        "mentioned_in": mentions,
        **{table: rows for table, rows in sorted(tables.items()) if rows},
    }


def holds_nothing(records: Mapping[str, Any]) -> bool:
    """Whether an export has nothing of the person but that operators asked about them."""
    about_nobody = {"learner", "pseudonym", "identifiers", "operator_actions"}
    return not any(of for name, of in records.items() if name not in about_nobody)


async def _statements(
    store: PersonalDataStore, matcher: PersonMatcher
) -> tuple[list[dict[str, Any]], list[str]]:
    """Those of the person with what became of them, and the ids of those that name them."""
    blocks: list[int] = []

    def look(block: int, bodies: bytes) -> None:
        if matcher.may_name(bodies):
            blocks.append(block)

    await store.scan_blocks(look)
    statements: list[dict[str, Any]] = []
    mentions: list[str] = []
    for first in range(0, len(blocks), _AT_ONCE):
        some = sorted(blocks)[first : first + _AT_ONCE]
        bodies = {row["id"]: bodies_of(row) for row in await store.rows_where("blocks", "id", some)}
        # a batch is read once, and not for each of its statements
        read: dict[tuple[int, int], Any] = {}
        for row in await store.rows_where("statements", "block", some):
            place = bodies.get(row["block"], b"")[row["start"] : row["start"] + row["length"]]
            if not place:  # it was pruned meanwhile
                continue
            if (body := read.get((row["block"], row["start"]))) is None:
                body = read[row["block"], row["start"]] = orjson.loads(place)
            statement = body if row["item"] is None else body[row["item"]]
            new = matcher.decide_statement(statement)
            if new is None:
                told = {name: row[name] for name in ("id", "source", "stored_at", "outcome")}
                statements.append({**told, "statement": statement})
            elif new is not statement:
                mentions.append(row["id"])
    statements.sort(key=lambda one: (one["stored_at"], one["id"]))
    return statements, sorted(mentions)


async def _rows(store: PersonalDataStore, table: str, rules: RowRules) -> list[dict[str, Any]]:
    own: list[Row] = []

    def look(row: Row) -> None:
        if rules.is_own(table, row):
            own.append(row)

    await store.scan_rows(table, look)
    key = TABLES[table].key
    return [_readable(row) for row in sorted(own, key=lambda row: [str(row[name]) for name in key])]


def _readable(row: Row) -> dict[str, Any]:
    """As JSON: bytes as the JSON or text that they are, else in base64."""
    return {
        name: _as_json(bytes(value)) if isinstance(value, bytes | memoryview) else value
        for name, value in row.items()
        if name not in _SECRET
    }


def _as_json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
