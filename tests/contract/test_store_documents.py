"""What every store must hold about documents: bytes as they came, and one change at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from pointsman.store.base import (
    Document,
    DocumentAmounts,
    DocumentKey,
    DocumentResource,
    OverQuota,
    Store,
)

KEY = DocumentKey("state", "http://example.com/a", "mbox mailto:ana@example.com", "", "bookmark")
DOCUMENT = Document("text/plain", b"\x00\xff page 3", "e1", 10)


def put(document: Document | None) -> Callable[[Document | None], tuple[Document | None, None]]:
    return lambda _old: (document, None)


async def test_a_document_is_returned_as_it_came(store: Store) -> None:
    assert await store.document(KEY) is None
    await store.change_document(KEY, put(DOCUMENT))
    assert await store.document(KEY) == DOCUMENT
    newer = Document("application/json", b"{}", "e2", 20)
    await store.change_document(KEY, put(newer))
    assert await store.document(KEY) == newer
    await store.change_document(KEY, put(None))
    assert await store.document(KEY) is None
    await store.change_document(KEY, put(None))


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, resource="activity_profile"),
        replace(KEY, activity="http://example.com/b"),
        replace(KEY, agent="mbox mailto:ben@example.com"),
        replace(KEY, registration="39b0aaf8-0000-4000-8000-000000000000"),
        replace(KEY, name="Bookmark"),
        replace(KEY, name="bookmark\n"),
        replace(KEY, name="x" * 5_000),
    ],
)
async def test_each_part_of_the_key_tells_documents_apart(store: Store, other: DocumentKey) -> None:
    await store.change_document(KEY, put(DOCUMENT))
    assert await store.document(other) is None
    theirs = replace(DOCUMENT, content=b"other")
    await store.change_document(other, put(theirs))
    assert await store.document(KEY) == DOCUMENT
    assert await store.document(other) == theirs


async def test_what_is_decided_sees_what_is_there_and_can_leave_it(store: Store) -> None:
    seen: list[Document | None] = []

    def look(old: Document | None) -> tuple[Document | None, str]:
        seen.append(old)
        return old, "left alone"

    assert await store.change_document(KEY, look) == "left alone"
    await store.change_document(KEY, put(DOCUMENT))
    assert await store.change_document(KEY, look) == "left alone"
    assert seen == [None, DOCUMENT]
    assert await store.document(KEY) == DOCUMENT


async def test_names_are_listed_since_a_time_and_for_every_registration(store: Store) -> None:
    registered = replace(KEY, registration="39b0aaf8-0000-4000-8000-000000000000", name="c")
    await store.change_document(KEY, put(DOCUMENT))
    await store.change_document(replace(KEY, name="b"), put(replace(DOCUMENT, updated_at=20)))
    await store.change_document(registered, put(replace(DOCUMENT, updated_at=30)))
    await store.change_document(replace(KEY, agent="openid x", name="d"), put(DOCUMENT))
    assert await store.documents(KEY, since=None) == ["b", "bookmark", "c"]
    assert await store.documents(KEY, since=10) == ["b", "c"]
    assert await store.documents(KEY, since=30) == []
    assert await store.documents(registered, since=None) == ["c"]


async def test_all_of_a_learner_and_activity_go_at_once(store: Store) -> None:
    other = replace(KEY, agent="mbox mailto:ben@example.com")
    registered = replace(KEY, registration="39b0aaf8-0000-4000-8000-000000000000")
    for key in (KEY, replace(KEY, name="b"), registered, other):
        await store.change_document(key, put(DOCUMENT))
    await store.delete_documents(registered)
    assert await store.documents(KEY, since=None) == ["b", "bookmark"]
    await store.delete_documents(KEY)
    assert await store.documents(KEY, since=None) == []
    assert await store.document(other) == DOCUMENT


async def test_changes_at_once_come_one_after_the_other(store: Store) -> None:
    def count(old: Document | None) -> tuple[Document | None, int]:
        number = int(old.content) + 1 if old is not None else 1
        return Document("text/plain", str(number).encode(), "e", number), number

    results = await asyncio.gather(*(store.change_document(KEY, count) for _ in range(20)))
    assert sorted(results) == list(range(1, 21))
    kept = await store.document(KEY)
    assert kept is not None
    assert kept.content == b"20"


_OF_LAUNCHES: tuple[DocumentResource, ...] = ("launch", "session", "launch_token")
LAUNCHES = [DocumentKey("launch", name=name) for name in ("one", "two", "three")]


async def test_documents_of_ours_are_found_by_name_many_at_once(store: Store) -> None:
    for key in LAUNCHES[:2]:
        await store.change_document(key, put(replace(DOCUMENT, etag=key.name)))
    await store.change_document(DocumentKey("session", name="three"), put(DOCUMENT))
    await store.change_document(replace(LAUNCHES[2], registration="r"), put(DOCUMENT))
    names = ["one", "two", "three", "four"]
    found = await store.named_documents(("launch",), names)
    assert {key: document.etag for key, document in found.items()} == {
        ("launch", "one"): "one",
        ("launch", "two"): "two",
    }
    both = await store.named_documents(("launch", "session"), names)
    assert both.keys() == {*found, ("session", "three")}
    assert await store.named_documents(("launch",), []) == {}


async def test_launches_and_what_belongs_to_them_are_forgotten_when_old(store: Store) -> None:
    ours = [
        *LAUNCHES,
        DocumentKey("session", name="one"),
        DocumentKey("launch_token", name="ana@example.com"),
    ]
    for at, key in enumerate(ours, start=1):
        await store.change_document(key, put(replace(DOCUMENT, updated_at=at)))
    await store.change_document(KEY, put(replace(DOCUMENT, updated_at=1)))
    assert await store.prune_documents(_OF_LAUNCHES, before=4) == 3
    assert [await store.document(key) is None for key in ours] == [True, True, True, False, False]
    assert await store.prune_documents(("session",), before=9) == 1
    assert await store.prune_documents(_OF_LAUNCHES, before=9) == 1
    assert await store.document(KEY) is not None


REGISTERED = replace(KEY, registration="39b0aaf8-0000-4000-8000-000000000000")
#: two documents of a registration, and one of none, of the same learner
THREE = [replace(REGISTERED, name="a"), replace(REGISTERED, name="b"), replace(KEY, name="c")]
THOUSAND = replace(DOCUMENT, content=b"x" * 1_000)
#: of each of them: with activity, name and content type
SIZE = 1_000 + len("http://example.com/a") + 1 + len("text/plain")
QUOTA = DocumentAmounts(9, 90_000, 9, 90_000)


@pytest.mark.parametrize(
    ("amount", "allowed", "refused"),
    [
        ("registration_documents", 1, THREE[1]),
        ("registration_bytes", 2 * SIZE - 1, THREE[1]),
        ("registration_bytes", 2 * SIZE, None),
        ("learner_documents", 2, THREE[2]),
        ("learner_bytes", 3 * SIZE - 1, THREE[2]),
        ("learner_bytes", 3 * SIZE, None),
    ],
)
async def test_what_is_beyond_the_quota_is_not_kept(
    store: Store, amount: str, allowed: int, refused: DocumentKey | None
) -> None:
    large = replace(DOCUMENT, content=b"x" * 99_000)
    await store.change_document(replace(KEY, agent="openid x"), put(large))
    await store.change_document(replace(KEY, resource="activity_profile", agent=""), put(large))
    quota = replace(QUOTA, **{amount: allowed})
    for key in THREE:
        result = await store.change_document_within(key, quota, put(THOUSAND))
        assert result == (OverQuota(amount, allowed) if key == refused else None)
        assert await store.document(key) == (None if key == refused else THOUSAND)


async def test_what_makes_nothing_larger_fits_always(store: Store) -> None:
    for key in THREE:
        await store.change_document(key, put(THOUSAND))
    quota = DocumentAmounts(1, 1, 1, 1)
    for change in (replace(THOUSAND, content=b"y" * 1_000), replace(THOUSAND, content=b"y"), None):
        assert await store.change_document_within(THREE[0], quota, put(change)) is None
        assert await store.document(THREE[0]) == change
    grown = replace(THOUSAND, content=b"x" * 1_001)
    assert isinstance(await store.change_document_within(THREE[1], quota, put(grown)), OverQuota)
    assert await store.document(THREE[1]) == THOUSAND


async def test_changes_at_once_fit_the_quota_together(store: Store) -> None:
    quota = replace(QUOTA, learner_documents=5)
    results = await asyncio.gather(
        *(
            store.change_document_within(replace(KEY, name=f"{number}"), quota, put(DOCUMENT))
            for number in range(20)
        )
    )
    assert sum(result is None for result in results) == 5
    assert len(await store.documents(KEY, since=None)) == 5


async def test_states_of_registrations_that_ended_are_forgotten(store: Store) -> None:
    """Where both the launch and the state are old; others' states, and profiles, are kept."""
    old, new = replace(DOCUMENT, updated_at=10), replace(DOCUMENT, updated_at=90)
    for name, launch, state in (
        ("1", old, old),
        ("2", old, new),
        ("3", new, old),
        ("4", None, old),
    ):
        if launch is not None:
            await store.change_document(DocumentKey("launch", name=name), put(launch))
        for state_id in ("a", "b"):
            key = replace(KEY, registration=name, name=state_id)
            await store.change_document(key, put(state))
    profile = replace(KEY, resource="agent_profile", activity="", registration="")
    for key in (KEY, profile):
        await store.change_document(key, put(old))
    assert await store.prune_ended_states(before=50, limit=1) == 1
    assert await store.prune_ended_states(before=50, limit=9) == 1
    assert await store.prune_ended_states(before=50, limit=9) == 0
    for name in "1234":
        names = await store.documents(replace(KEY, registration=name), since=None)
        assert names == ([] if name == "1" else ["a", "b"])
    assert await store.document(KEY) == await store.document(profile) == old
