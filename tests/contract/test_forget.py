"""A person is forgotten and handed out under every identifier, and nobody else is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import pytest

from pointsman.domain.clock import SystemClock
from pointsman.privacy import ForgetRequest, Forgotten, export_person, find_pseudonym, forget
from pointsman.store.base import Search, Store
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore
from pointsman.wiring import identity_rules
from pointsman.wiring.stores import key_reader
from tests.support.databases import fresh_database
from tests.support.person_traffic import ANA, BATCH, NAMING, OURS, OWN, TRACES, fill, settings

READ_KEYS = key_reader("https://learn.example.com")
TEN = "http://example.com/ten"
RULES = identity_rules(settings())


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A store that is full of Ana."""
    async with AsyncExitStack() as stack:
        made: Store
        if request.param == "postgresql":
            server = request.getfixturevalue("database")
            dsn = await stack.enter_async_context(fresh_database(server))
            made = PostgresStore(dsn, read_keys=READ_KEYS)
        else:
            made = SqliteStore(tmp_path / "store.db", read_keys=READ_KEYS)
        await made.open()
        stack.push_async_callback(made.close)
        await fill(made)
        yield made


async def run(store: Store, **options: Any) -> Forgotten:
    return await forget(store, ForgetRequest(ANA, **options), RULES, SystemClock())


async def everything(store: Store) -> str:
    """All that the store holds, as one text."""
    texts: list[str] = []
    await store.scan_blocks(lambda _block, bodies: texts.append(bodies.decode()))
    for table in await store.table_columns():
        if table != "blocks":
            await store.scan_rows(table, lambda row: texts.append(repr(row)))
    return "\n".join(texts)


async def found_by(store: Store, agent: dict[str, Any]) -> list[str]:
    """Ids of statements that the index has under an agent."""
    keys = READ_KEYS(json.dumps({**OWN["mailbox"], "actor": agent}).encode(), None, "none").keys
    other = READ_KEYS(
        json.dumps({**OWN["mailbox"], "actor": {"mbox": "mailto:q@q.q"}}).encode(), None, "none"
    ).keys
    (key,) = set(keys) - set(other)
    page = await store.search(Search((key,)), limit=100)
    return [stored.statement_id for _, stored in page.found]


async def test_nothing_names_the_person_afterwards_and_the_books_balance(store: Store) -> None:
    before = await everything(store)
    assert all(trace in before for trace in TRACES)
    books = await store.books()

    done = await run(store)

    assert done.is_proved, (done.remains, done.still_naming)
    after = (await everything(store)).lower().replace("joana@example.com", "")
    assert [trace for trace in TRACES if trace.lower() in after] == []
    assert (
        done.erased["statements"] == len(OWN) + 3
    )  # one of a batch, one with an attachment, one by itself
    assert done.replaced["statements"] == len(NAMING)
    assert done.erased["attachments"] == 1
    assert (await store.books()).balanced
    assert (await store.books()).accepted == books.accepted


async def test_others_are_as_they_were(store: Store) -> None:
    others = ["joana@example.com", "cy@example.com"]
    before = [await export_person(store, other, RULES) for other in others]
    ben = await export_person(store, "ben@example.com", RULES)

    await run(store)

    assert [await export_person(store, other, RULES) for other in others] == before
    after = await export_person(store, "ben@example.com", RULES)
    assert len(after["statements"]) == len(ben["statements"])
    assert after["desired"] == ben["desired"]
    untouched = [one for one in ben["statements"] if "ana" not in json.dumps(one).lower()]
    assert [one for one in untouched if one not in after["statements"]] == []
    batch = [one for one in after["statements"] if one["statement"]["object"].get("id") == TEN]
    assert [one["statement"] for one in batch] == [BATCH[0]]


async def test_the_index_finds_all_that_stays_and_nothing_of_the_person(store: Store) -> None:
    ben, cy = {"mbox": "mailto:ben@example.com"}, {"mbox": "mailto:cy@example.com"}
    before = [await found_by(store, ben), await found_by(store, cy)]
    assert await found_by(store, {"mbox": f"mailto:{ANA}"})

    await run(store)

    assert [await found_by(store, ben), await found_by(store, cy)] == before
    assert await found_by(store, {"mbox": f"mailto:{ANA}"}) == []


async def test_a_dry_run_counts_the_same_and_changes_nothing(store: Store) -> None:
    before = await everything(store)
    told = await run(store, dry_run=True, refuse_for=60.0)
    assert await everything(store) == before

    done = await run(store)

    assert not told.is_proved
    assert +told.replaced == +done.replaced
    assert told.erased["statements"] == done.erased["statements"]


async def test_a_second_run_finds_nothing(store: Store) -> None:
    await run(store)
    again = await run(store)
    assert again.is_proved
    assert +again.erased == +again.replaced == {}


async def test_a_person_gets_all_that_is_theirs_and_nothing_of_others(store: Store) -> None:
    records = await export_person(store, "mailto:ANA@example.com", RULES)
    assert len(records["statements"]) == len(OWN) + 3
    assert len(records["mentioned_in"]) == len(NAMING)
    assert {row["resource"] for row in records["documents"]} == {
        *("state", "agent_profile", "launch", "session", *OURS),
    }
    assert records["attachments"][0]["content"] == "a photo of her"
    assert {row["reason"] for row in records["dead_letters"]} == {"a statement of hers", "no JSON"}
    assert all("sealed" not in row for row in records["tokens"])
    assert any(row["kind"] == "meeting_attendance" for row in records["desired"])
    assert "ben@example.com" not in json.dumps(records).replace(
        json.dumps(records["statements"]), ""
    )
    assert await export_person(store, ANA, RULES) == records


async def test_a_pseudonym_leads_back_to_the_learner_until_they_are_forgotten(store: Store) -> None:
    pseudonym = (await run(store, dry_run=True)).pseudonym
    assert ANA not in pseudonym
    assert await find_pseudonym(store, pseudonym, RULES) == ANA
    assert await find_pseudonym(store, pseudonym.removeprefix("learner:"), RULES) == ANA
    await run(store)
    assert await find_pseudonym(store, pseudonym, RULES) is None


async def test_a_delivery_under_way_is_waited_for(store: Store) -> None:
    now = 10**16
    await store.lease(now=now, ttl=10**9, limit=100)
    assert await store.erase_learner([ANA], now=now) is None
    assert ANA in await everything(store)
    assert await store.erase_learner([ANA], now=now + 2 * 10**9)


class Killed(Exception):
    """In place of a SIGKILL: what was committed is committed, and nothing more is."""


class Dying:
    """A store under which the process ends at its nth change."""

    def __init__(self, store: Store, changes: int) -> None:
        self._store = store
        self._left = changes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in CHANGES:
            return method

        async def change(*values: Any, **options: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise Killed
            return await method(*values, **options)

        return change


CHANGES = {"refuse_learners", "erase_learner", "change_blocks", "drop_dead_letters", "change_rows"}


async def test_a_run_that_was_killed_anywhere_can_be_repeated(store: Store) -> None:
    clock, request = SystemClock(), ForgetRequest(ANA, refuse_for=60.0)
    killed = 0
    for changes in range(30):
        try:
            await forget(cast("Store", Dying(store, changes)), request, RULES, clock)
            break
        except Killed:
            killed += 1
            assert (await store.books()).balanced

    assert killed > len(CHANGES)
    assert (await run(store)).is_proved
    after = (await everything(store)).lower().replace("joana@example.com", "")
    assert [trace for trace in TRACES if trace.lower() in after] == []
