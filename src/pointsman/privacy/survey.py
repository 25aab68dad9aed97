"""Looks through all of a store for a person: what is theirs, and where they are named besides."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from pointsman.privacy.person_finder import bodies_in
from pointsman.privacy.person_matcher import PersonMatcher
from pointsman.privacy.row_rules import RowRules
from pointsman.statements import identity_of, index_key
from pointsman.store.base import PersonalDataStore, Row
from pointsman.store.personal_data import TABLES, Holds


@dataclass(slots=True)
class Survey:
    """What a store holds of a person at one moment."""

    #: statements of which they are the actor
    statements: int = 0
    #: of others, which name them
    named_in: int = 0
    #: the commits of both
    blocks: set[int] = field(default_factory=set)
    #: rows that are theirs, and rows of others that name them, by table
    own: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    naming: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    #: where a name of theirs is in what is left, which may be somebody else's
    names_elsewhere: Counter[str] = field(default_factory=Counter)
    #: words of others of which an identifier is a part: `joana@example.com`
    longer_words: set[str] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        return not (self.blocks or any(self.own.values()) or any(self.naming.values()))


async def look_through(store: PersonalDataStore, matcher: PersonMatcher, rules: RowRules) -> Survey:
    """Every table and the bodies of every statement. Raises `StoreUnavailable`."""
    survey = Survey()
    names = [name.encode() for name in matcher.person.names]

    def look(block: int, bodies: bytes) -> None:
        before = survey.statements + survey.named_in
        if matcher.may_name(bodies):
            for body in bodies_in(bodies):
                for statement in body if isinstance(body, list) else [body]:
                    new = matcher.decide_statement(statement)
                    survey.statements += new is None and statement is not None
                    survey.named_in += new is not None and new is not statement
            survey.longer_words.update(matcher.longer_words(bodies.decode("utf-8", "replace")))
        if survey.statements + survey.named_in > before:
            survey.blocks.add(block)
            return
        for name in names:
            if count := bodies.count(name):
                survey.names_elsewhere[name.decode()] += count

    await store.scan_blocks(look)
    keys = [index_key("agent", identity_of(actor)) for actor in matcher.person.actors]
    survey.blocks.update(await store.blocks_with_keys(keys))
    present = await store.table_columns()
    for table, declared in TABLES.items():
        if table in present and declared.holding(*_PERSONAL):
            await _look_through_rows(store, table, matcher, rules, survey)
    return survey


_PERSONAL = (Holds.LEARNER, Holds.WORDS, Holds.CONTENT, Holds.OWNER, Holds.ABOUT)


async def _look_through_rows(
    store: PersonalDataStore,
    table: str,
    matcher: PersonMatcher,
    rules: RowRules,
    survey: Survey,
) -> None:
    key_columns = TABLES[table].key

    def look(row: Row) -> None:
        new = rules.decide(table, row)
        if new is row:
            for value in row.values():
                text = value if isinstance(value, str) else _text(value)
                survey.longer_words.update(matcher.longer_words(text))
            return
        found = survey.own if new is None else survey.naming
        found[table].append({name: row[name] for name in key_columns})

    await store.scan_rows(table, look)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
