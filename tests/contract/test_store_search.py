"""What every store must hold about queries: nothing missing, in order, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.records import AttachedData
from pointsman.store.base import Search, Store
from pointsman.store.sqlite import SqliteStore, ingest
from tests.support.change_factory import new_id
from tests.support.store_steps import indexed, keys_in_body


async def pages(store: Store, search: Search, limit: int = 100) -> AsyncIterator[list[str]]:
    while True:
        page = await store.search(search, limit=limit)
        yield [kept.statement_id for _, kept in page.found]
        if page.after is None:
            return
        search = replace(search, after=page.after)


async def found(store: Store, *keys: int, limit: int = 100, ascending: bool = False) -> list[str]:
    search = Search(keys, ascending=ascending)
    return [name async for page in pages(store, search, limit) for name in page]


async def test_the_newest_comes_first_and_the_oldest_when_asked(store: Store) -> None:
    made = [indexed([1]) for _ in range(5)]
    names = [one.items[0].statement_id for one in made]
    for one in made[:3]:
        await store.ingest([one])
    await store.ingest(made[3:])  # these two share a commit
    assert await found(store, 1) == names[::-1]
    assert await found(store, 1, ascending=True) == names
    assert await found(store) == names[::-1]
    assert await found(store, ascending=True) == names
    for limit in (1, 2, 3):
        assert await found(store, 1, limit=limit) == names[::-1]
        assert await found(store, limit=limit, ascending=True) == names


async def test_a_page_of_many_commits_has_each_match_once(store: Store) -> None:
    made = [indexed([1]) for _ in range(150)]  # more than a store reads at once
    names = [one.items[0].statement_id for one in made]
    for one in made:
        await store.ingest([one])
    for keys in ((), (1,)):
        for limit in (64, 200):
            assert await found(store, *keys, limit=limit) == names[::-1]
            assert await found(store, *keys, limit=limit, ascending=True) == names


async def test_all_keys_must_be_there(store: Store) -> None:
    both, one, other = indexed([1, 2]), indexed([1]), indexed([2])
    await store.ingest([one, both, other])
    await store.ingest([indexed([2])])
    assert await found(store, 1, 2) == [both.items[0].statement_id]
    assert await found(store, 1, 2, 3) == []
    assert await found(store, 2, 1, 1, 2) == [both.items[0].statement_id]


async def test_a_time_is_after_since_and_not_after_until(store: Store) -> None:
    names = []
    for _ in range(4):
        one = indexed([1])
        await store.ingest([one])
        names.append(one.items[0].statement_id)
    page = await store.search(Search((1,), ascending=True), limit=10)
    times = [kept.stored_at for _, kept in page.found]
    assert times == sorted(set(times))

    async def between(since: int | None, until: int | None) -> list[str]:
        search = Search((1,), since, until, ascending=True)
        return [name async for one in pages(store, search) for name in one]

    assert await between(times[0], None) == names[1:]
    assert await between(None, times[2]) == names[:3]
    assert await between(times[0], times[1]) == names[1:2]
    assert await between(times[3], None) == []
    assert await between(None, times[0] - 1) == []


async def test_a_statement_about_another_is_found_with_it(store: Store) -> None:
    target, about = new_id(), new_id()
    await store.ingest([indexed([7], statement_id=target)])
    await store.ingest([indexed([8], ref=target, statement_id=about)])
    await store.ingest([indexed([9], ref=about)])
    assert len(await found(store, 7)) == 3
    assert len(await found(store, 8)) == 2
    assert len(await found(store, 9)) == 1


async def test_also_when_the_other_one_comes_later(store: Store) -> None:
    target, about = new_id(), new_id()
    await store.ingest([indexed([9], ref=about)])
    await store.ingest([indexed([8], ref=target, statement_id=about)])
    await store.ingest([indexed([7], statement_id=target)])
    assert len(await found(store, 7)) == 3
    assert len(await found(store, 8)) == 2


async def test_and_when_they_come_together(store: Store) -> None:
    target = new_id()
    await store.ingest([indexed([8], ref=target), indexed([7], statement_id=target)])
    assert len(await found(store, 7)) == 2


async def test_references_in_a_circle_end(store: Store) -> None:
    one, other = new_id(), new_id()
    await store.ingest([indexed([1], ref=other, statement_id=one)])
    await store.ingest([indexed([2], ref=one, statement_id=other)])
    assert len(await found(store, 1)) == 2


async def test_what_is_voided_is_known_whichever_came_first(store: Store) -> None:
    early, late, kept = new_id(), new_id(), new_id()
    await store.ingest([indexed([1], statement_id=early)])
    await store.ingest([indexed([2], ref=early, voids=True)])
    await store.ingest([indexed([2], ref=late, voids=True), indexed([2], ref=kept)])
    await store.ingest([indexed([1], statement_id=late), indexed([1], statement_id=kept)])
    assert await store.voided([early, late, kept, new_id()]) == {early, late}
    assert await store.voided([]) == set()


async def test_attachments_are_kept_with_the_statements_they_came_with(store: Store) -> None:
    data = AttachedData("ab" * 32, "text/plain; charset=utf-8", b"\x00\xff\r\n")
    await store.ingest([replace(indexed([1]), attachments=(data,))])
    assert await store.attachments([data.sha2, "cd" * 32]) == {data.sha2: data}
    await store.ingest([replace(indexed([1]), attachments=(data,))])
    second = (await store.search(Search((1,)), limit=1)).found[0][1]
    assert await store.prune(before=second.stored_at, limit=10) == 1
    assert await store.attachments([data.sha2]) == {data.sha2: data}  # the second has it too
    assert await store.prune(before=second.stored_at + 1, limit=10) == 1
    assert await store.attachments([data.sha2]) == {}


async def test_pruning_leaves_no_keys_behind(store: Store) -> None:
    target = new_id()
    await store.ingest([indexed([1, 2], statement_id=target), indexed([2])])
    await store.ingest([indexed([3], ref=target, voids=True)])
    assert await store.prune(before=2**60, limit=10) == 3
    assert await found(store, 1) == await found(store) == []
    assert await store.voided([target]) == set()
    assert (await store.stats()).rows["statement_keys"] == 0
    assert await _waiting(store) == []


async def _waiting(store: Store) -> list[int]:
    """How many keys wait to be indexed, up to each commit that has some."""
    rows: list[Mapping[str, Any]] = []
    if isinstance(store, SqliteStore):
        await store.scan_rows("waiting_keys", rows.append)
    return [row["keys_until"] for row in rows]


async def test_few_keys_wait_and_all_are_found_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "MOST_WAITING", 4)
    store = SqliteStore(tmp_path / "s.db", threaded=False)
    await store.open()
    names = []
    waiting = []
    for number in range(9):
        made = indexed([1, 100 + number])
        names.append(made.items[0].statement_id)
        await store.ingest([made])
        waiting.append(await _waiting(store))
    assert waiting == [[2], [2, 4], []] * 3
    await store.close()
    await store.open()
    assert await found(store, 1) == names[::-1]
    await store.close()


async def test_all_that_was_stored_can_be_found_until_now(store: Store) -> None:
    await store.ingest([indexed([1])])
    page = await store.search(Search((1,)), limit=1)
    assert await store.consistent_through() >= page.found[0][1].stored_at


@settings(max_examples=60, deadline=None)
@given(
    commits=st.lists(
        st.lists(st.frozensets(st.integers(1, 4), max_size=3), min_size=1, max_size=4), max_size=8
    ),
    wanted=st.lists(st.integers(1, 4), max_size=4),
    limit=st.integers(1, 5),
    ascending=st.booleans(),
    most_waiting=st.sampled_from([0, 2, 5, 4_096]),
)
async def test_pages_hold_each_match_once(
    commits: list[list[frozenset[int]]],
    wanted: list[int],
    limit: int,
    ascending: bool,
    most_waiting: int,
) -> None:
    names: list[str] = []
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "MOST_WAITING", most_waiting)
        store = SqliteStore(Path(folder, "s.db"), threaded=False, read_keys=keys_in_body)
        await store.open()
        for commit in commits:
            made = [indexed(sorted(keys)) for keys in commit]
            await store.ingest(made)
            names += [
                one.items[0].statement_id for one in made if set(wanted) <= set(one.items[0].keys)
            ]
        expected = names if ascending else names[::-1]
        assert await found(store, *wanted, limit=limit, ascending=ascending) == expected
        await store.close()
