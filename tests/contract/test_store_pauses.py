"""Every store remembers which deliveries are paused."""

from __future__ import annotations

from pointsman.domain.pauses import Pause
from pointsman.domain.target_kinds import TargetKind
from pointsman.store.base import Store

ALL = Pause(None, 7, "the platform is moved")
TOPICS = Pause(TargetKind.TOPIC_PROGRESS, 5)


async def test_pauses_are_kept_until_they_are_resumed(delivery_store: Store) -> None:
    store = delivery_store
    assert await store.pauses() == []
    await store.pause(TOPICS)
    await store.pause(ALL)
    assert await store.pauses() == [ALL, TOPICS]
    assert await store.resume(None)
    assert await store.pauses() == [TOPICS]
    assert not await store.resume(None)
    assert not await store.resume(TargetKind.COURSE_STATUS)
    assert await store.resume(TOPICS.kind)
    assert await store.pauses() == []


async def test_pausing_again_keeps_its_beginning_and_takes_the_reason(
    delivery_store: Store,
) -> None:
    await delivery_store.pause(TOPICS)
    await delivery_store.pause(Pause(TOPICS.kind, 9, "once more"))
    assert await delivery_store.pauses() == [Pause(TOPICS.kind, 5, "once more")]


async def test_a_nul_in_the_reason_stops_no_pause(store: Store) -> None:
    await store.pause(Pause(None, 5, "a\0b"))
    (pause,) = await store.pauses()
    assert pause.kind is None
