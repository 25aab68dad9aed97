"""Declares for every table and column whether it holds a person, and how that is erased. Pure.

A table or column that is missing here fails `tests/contract/test_personal_data_tables.py`. What is
declared is all that `pointsman forget`, `pointsman export` and `pointsman who` need to know of it:
a new table with a column of learners needs its rows here and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum


class Holds(Enum):
    """What a column holds of a person, and what forgetting does with it."""

    #: numbers, times, codes, ids and hashes that name nobody
    NOBODY = "nobody"
    #: the platform's learner, or a recipient: the row is erased
    LEARNER = "learner"
    #: who an action of an operator was about: becomes a pseudonym, for the action is kept
    ABOUT = "about"
    #: words that may name anybody: what names the person is replaced
    WORDS = "words"
    #: bytes that were sent, JSON or not: what names the person is replaced, or the row is erased
    CONTENT = "content"
    #: says whose or which the row is, by a rule of the table's own (`privacy/`)
    OWNER = "owner"
    #: bodies of statements: rewritten without the person
    BODIES = "bodies"
    #: goes with its statement or its row, and says nothing without
    FOLLOWS = "follows"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a store."""

    #: the columns that a row is found by
    key: tuple[str, ...]
    columns: Mapping[str, Holds]

    def holding(self, *kinds: Holds) -> tuple[str, ...]:
        """The columns that hold one of these."""
        return tuple(name for name, holds in self.columns.items() if holds in kinds)


def _table(key: str, **columns: str) -> Table:
    """Columns by what they hold, each kind's names in one text."""
    return Table(
        tuple(key.split()),
        {name: Holds(kind) for kind, names in columns.items() for name in names.split()},
    )


#: of both stores; a column that one store alone has is named too
TABLES: Mapping[str, Table] = {
    "accepted": _table("source", nobody="source shard inputs"),
    "attachments": _table("sha2", nobody="sha2 block", words="content_type", content="content"),
    "blocks": _table("id", nobody="id stored_at", bodies="data", follows="keys"),
    "confirmations": _table(
        "learner place fact topic",
        nobody="fact at source seen_at",
        learner="learner",
        words="place topic value",
    ),
    "dead_letters": _table(
        "id",
        nobody="id source in_statements received_at",
        words="origin reason",
        follows="statement_id body_hash",
        content="body",
    ),
    "desired": _table(
        "learner kind key",
        nobody="kind value version occurred_at since changed_at delivered_version delivered_value "
        "delivered_at failures urgent audited_at audit park_code retry_at source fresh_within "
        "deadline reset_at",
        learner="learner",
        owner="key",
        words="rule after attempts parked read_back",
        follows="statement_id",
    ),
    "documents": _table(
        "resource activity agent registration name",
        nobody="resource updated_at",
        owner="agent registration name",
        words="activity content_type",
        follows="etag",
        content="content",
    ),
    "duties": _table("name", nobody="name holder until"),
    "evidence": _table("learner key", learner="learner", words="key body"),
    "feeds": _table("name", nobody="name place"),
    "forgotten": _table("what", nobody="what inputs"),
    "installation": _table("secret", nobody="secret former_ids_until"),
    "learners": _table(
        "learner",
        nobody="due ready ready_at hold lease_token leased_at urgent source deadline",
        learner="learner",
        words="rule",
    ),
    "moves": _table("id", nobody="id at moved", learner="learner", words="data"),
    # the action is kept; whom it was about becomes a pseudonym
    "operator_actions": _table(
        "id", nobody="id at kind who origin", about="learner", words="details outcome"
    ),
    # PostgreSQL's, for replicas of the version before
    "pace": _table("id", nobody="id state"),
    "pauses": _table("kind", nobody="kind since", words="reason"),
    "positions": _table(
        "consumer_group topic partition",
        nobody="consumer_group topic partition next_offset token log_id last_record",
    ),
    "quota_window": _table("id", nobody="id ends_at points requests sent state"),
    "refs": _table("target block id", nobody="target block voids", follows="id"),
    # a keyed hash; kept on purpose, for as long as input is refused
    "refused_learners": _table("hash", nobody="hash person refused_at until inputs"),
    # PostgreSQL's number of the last migration
    "schema": _table("number", nobody="number"),
    "statement_keys": _table("key block", nobody="block", follows="key ranks"),
    "statements": _table(
        "id",
        nobody="source stored_at block item version outcome",
        follows="id digest start length",
    ),
    "tokens": _table("learner", nobody="stored_at expires_at", learner="learner", follows="sealed"),
    "turns": _table("id", nobody="id at unpublished", learner="learner", words="data"),
    "unmatched": _table(
        "activity", nobody="inputs first_at last_at", words="activity", follows="sample_id"
    ),
    # SQLite's, of statements whose keys are not in `statement_keys` yet
    "waiting_keys": _table("block", nobody="block keys_until", follows="ranks"),
}


def tables_of_learners() -> Iterator[tuple[str, str]]:
    """(table, column) of all columns that hold a learner."""
    for name, table in TABLES.items():
        for column in table.holding(Holds.LEARNER):
            yield name, column


def tables_with_words() -> Iterator[tuple[str, Table]]:
    """Tables in which anybody may be named, statements' bodies aside."""
    for name, table in TABLES.items():
        if table.holding(Holds.WORDS, Holds.CONTENT, Holds.OWNER, Holds.ABOUT):
            yield name, table
