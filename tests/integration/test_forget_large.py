"""Of a store with very many statements, no byte of a forgotten person is left in the file."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from pointsman.domain.clock import SystemClock
from pointsman.privacy import ForgetRequest, export_person, exporting, forget
from pointsman.store.sqlite import SqliteStore
from pointsman.wiring import identity_rules
from pointsman.wiring.pipelines import pipeline
from pointsman.wiring.stores import key_reader
from tests.support.person_traffic import ANA, TRACES, agent, fill, mailbox, settings, statement
from tests.support.thoroughness import thorough

STATEMENTS = thorough(100_000, otherwise=500)
BATCH, LEARNERS = 500, 50
BEN = "ben7@example.com"


async def load(store: SqliteStore) -> None:
    """Every tenth batch has one of Ana's in it, and one that names her."""
    await fill(store)
    intake = pipeline(settings(), store, SystemClock())
    for start in range(0, STATEMENTS, BATCH):
        bodies = [
            statement(mailbox(f"ben{number % LEARNERS}"), f"t{number % 40}", number % 101)
            for number in range(start, start + BATCH)
        ]
        if start % (10 * BATCH) == 0:
            bodies[7] = statement(agent(), "one", 70)
            bodies[8]["context"] = {"instructor": agent()}
        await intake.accept(intake.reader.request("http", json.dumps(bodies).encode()))


def bytes_of(store: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(store.parent.glob(f"{store.name}*")))


async def test_an_export_reads_a_batch_once_and_not_for_each_of_its_statements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(tmp_path / "store.db", read_keys=key_reader("https://learn.example.com"))
    await store.open()
    try:
        intake = pipeline(settings(), store, SystemClock())
        bodies = [statement(mailbox("ben7"), "one", number) for number in range(40)]
        await intake.accept(intake.reader.request("http", json.dumps(bodies).encode()))
        batches: list[bytes] = []

        def loads(text: bytes) -> object:
            if text.startswith(b"["):
                batches.append(text)
            return orjson.loads(text)

        watched = SimpleNamespace(loads=loads, JSONDecodeError=orjson.JSONDecodeError)
        monkeypatch.setattr(exporting, "orjson", watched)
        records = await export_person(store, BEN, identity_rules(settings()))
    finally:
        await store.close()
    assert len(records["statements"]) == 40
    assert len(batches) == 1


async def test_no_byte_of_the_person_is_left_and_others_are_as_they_were(tmp_path: Path) -> None:
    path, rules = tmp_path / "store.db", identity_rules(settings())
    store = SqliteStore(path, read_keys=key_reader("https://learn.example.com"))
    await store.open()
    try:
        await load(store)
        ben = await export_person(store, BEN, rules)
        began = time.process_time()
        done = await forget(store, ForgetRequest(ANA), rules, SystemClock())
        seconds = time.process_time() - began
        after = await export_person(store, BEN, rules)
        books = await store.books()
    finally:
        await store.close()
    left = bytes_of(path)
    sys.stdout.write(
        f"{STATEMENTS:,} statements, {len(left) / 1e6:.0f} MB: {seconds:.1f} s of processor\n"
    )
    assert done.is_proved, (done.remains, done.still_naming)
    lower = left.lower().replace(b"joana@example.com", b"")
    assert [trace for trace in TRACES if trace.lower().encode() in lower] == []
    assert books.balanced
    assert books.accepted > STATEMENTS
    assert after["desired"] == ben["desired"]
    assert len(after["statements"]) == len(ben["statements"]) >= STATEMENTS // LEARNERS // 2
