"""Finds whom a pseudonym of the log means."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pointsman.domain.launch import launch_from_json
from pointsman.domain.pseudonyms import PREFIX, Pseudonyms
from pointsman.privacy.identity_rules import IdentityRules, actor_of_identity, actor_of_json
from pointsman.privacy.person_finder import agents_in, bodies_in
from pointsman.store.base import PersonalDataStore, Row
from pointsman.store.personal_data import tables_of_learners


async def find_pseudonym(
    store: PersonalDataStore, pseudonym: str, rules: IdentityRules
) -> str | None:
    """The learner, None where the store knows none. Raises `StoreUnavailable`."""
    wanted = pseudonym if pseudonym.startswith(PREFIX) else f"{PREFIX}{pseudonym}"
    pseudonyms = Pseudonyms(await store.installation_secret())
    found: list[str] = []

    def try_name(name: str) -> None:
        if not found and pseudonyms.of(name) == wanted:
            found.append(name)

    present = await store.table_columns()
    for table, column in tables_of_learners():
        if table in present and not found:
            await store.scan_rows(table, partial(_try_column, try_name, column))
    if not found:
        await store.scan_rows("documents", partial(_try_document, try_name, rules))
    if not found:
        await store.scan_blocks(partial(_try_statements, try_name, rules))
    return found[0] if found else None


def _try_column(try_name: Callable[[str], None], column: str, row: Row) -> None:
    try_name(row[column])


def _try_document(try_name: Callable[[str], None], rules: IdentityRules, row: Row) -> None:
    if row["resource"] == "launch":
        launch = launch_from_json(bytes(row["content"]))
        try_name(rules.learner(launch.learner))
        try_name(rules.resolver.resolve(launch.actor))
    elif row["resource"] == "launch_token":
        try_name(row["name"])
    elif (actor := actor_of_identity(row["agent"])) is not None:
        try_name(rules.resolver.resolve(actor))


def _try_statements(
    try_name: Callable[[str], None], rules: IdentityRules, _block: int, bodies: bytes
) -> None:
    for body in bodies_in(bodies):
        for agent in agents_in(body):
            if (actor := actor_of_json(agent)) is not None:
                try_name(rules.resolver.resolve(actor))
