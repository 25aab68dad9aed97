"""Every store keeps the record of what operators did."""

from __future__ import annotations

from dataclasses import replace

from pointsman.domain.operator_actions import ActionKind, OperatorAction
from pointsman.store.base import Store

DROP = OperatorAction(
    *(5, ActionKind.DEAD_LETTERS_DROP, "ana", "host.example.com"),
    details={"numbers": "17 18", "count": 2},
)
LAUNCH = OperatorAction(7, ActionKind.LAUNCH, "page", "192.0.2.7", "ben", outcome="done")


async def test_actions_are_kept_with_how_they_ended_the_newest_first(store: Store) -> None:
    assert await store.operator_actions(limit=9) == []
    begun = await store.record_action(DROP)
    done = await store.record_action(LAUNCH)
    assert begun != done
    newest, oldest = await store.operator_actions(limit=9)
    assert (newest, oldest) == (replace(LAUNCH, id=done), replace(DROP, id=begun))
    await store.finish_action(begun, "2 dropped")
    assert (await store.operator_actions(limit=9))[1] == replace(
        DROP, id=begun, outcome="2 dropped"
    )


async def test_actions_are_found_by_kind_learner_and_time(store: Store) -> None:
    for action in (DROP, LAUNCH, replace(LAUNCH, at=9, learner="ana")):
        await store.record_action(action)

    async def at(**where: object) -> list[int]:
        return [one.at for one in await store.operator_actions(limit=9, **where)]  # type: ignore[arg-type]  # a table of filters

    assert await at(kind=ActionKind.LAUNCH) == [9, 7]
    assert await at(learner="ben") == [7]
    assert await at(since=7) == [9, 7]
    assert [one.at for one in await store.operator_actions(limit=1)] == [9]


async def test_what_was_done_before_is_forgotten(store: Store) -> None:
    for action in (DROP, LAUNCH):
        await store.record_action(action)
    assert await store.prune_actions(before=7) == 1
    assert [one.at for one in await store.operator_actions(limit=9)] == [7]


async def test_a_nul_in_what_was_asked_for_stops_no_action(store: Store) -> None:
    await store.record_action(replace(DROP, learner="a\0b", details={"reason": "a\0b"}))
    (action,) = await store.operator_actions(limit=9)
    assert action.learner.replace("\0", "") in {"ab", "a\N{REPLACEMENT CHARACTER}b"}
