"""For random traffic with faults a story and the store agree about every learner, at any moment."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pointsman.domain.targets import Recipient, Target, Value
from pointsman.emulator.faults.parsing import read_fault
from pointsman.store.history_records import LearnerHistory, MoveResult
from pointsman.story import Cause, Question, Story
from tests.support.change_factory import item, submission
from tests.support.plain_stories import plain_teller
from tests.support.random_traffic import FAULTS, Traffic, traffic_catalogue
from tests.support.virtual_delivery import VirtualDelivery
from tests.support.virtual_time import run_virtually

LEARNERS, CHANGES = 4, 120
#: more rows than the traffic makes, so that all of it is told
ALL = 10_000


def broken_chains(history: LearnerHistory) -> list[str]:
    """Where the moves of a target do not add up to its value."""
    problems = []
    values: dict[tuple[Recipient, Target], Value | None] = {}
    for move in history.moves:
        key = (move.recipient, move.target)
        known = values.get(key)
        if move.before != known:
            problems.append(f"{key}: {move.before} after {known}")
        if (move.before != move.after) != (move.result is MoveResult.MOVED):
            problems.append(f"{key}: {move}")
        values[key] = move.after
    for stored in history.states:
        key = (stored.desired.recipient, stored.desired.target)
        if values.pop(key, None) != stored.desired.value:
            problems.append(f"{key}: the state is {stored.desired.value}")
    return problems + [f"{key}: moved, and there is no state" for key in values]


def disagreements(story: Story, history: LearnerHistory) -> list[str]:
    """Where the story says something else than the store."""
    states = {(one.desired.recipient, one.desired.target): one.desired for one in history.states}
    told = {(one.recipient, one.target): one for one in story.standings}
    problems = [f"{key}: not told" for key in states if key not in told]
    for key, standing in told.items():
        state = states[key]  # type: ignore[index]
        is_delivered = state.version == state.delivered_version
        if (standing.wanted, standing.is_delivered, standing.is_parked) != (
            state.value,
            is_delivered,
            bool(state.parked),
        ):
            problems.append(f"{key}: told {standing}, and is {state}")
    are_delivered = all(state.version == state.delivered_version for state in states.values())
    if states and are_delivered != story.end.is_delivered:
        problems.append(f"the end is {story.end}, and all is delivered: {are_delivered}")
    if any(state.parked for state in states.values()) and not story.end.cure:
        problems.append(f"something is parked, and nothing is to be done: {story.end}")
    return problems


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_story_agrees_with_the_store_for_every_learner_and_its_moves_add_up(
    tmp_path: Path, seed: int
) -> None:
    async def main() -> set[Cause]:
        dice = random.Random(seed)
        traffic = Traffic(LEARNERS, dice)
        ends: set[Cause] = set()
        async with VirtualDelivery(tmp_path, traffic_catalogue(LEARNERS)) as sim:
            teller = plain_teller(sim.store, sim.clock)

            async def check() -> None:
                for number in range(LEARNERS):
                    who = f"l{number}@example.com"
                    history = await sim.store.learner_history(who, limit=ALL)
                    story = await teller.tell(Question(who), limit=ALL)
                    assert broken_chains(history) == []
                    assert disagreements(story, history) == []
                    ends.add(story.end.cause)

            for fault in FAULTS:
                sim.emulator.faults.add(read_fault(fault, "a fault"))
            refused = {"kind": "refuse", "chance": 0.05, "code": "NOT_FOUND"}
            sim.emulator.faults.add(read_fault(refused, "a fault"))
            for number in range(CHANGES):
                sim.tokens.without = {"l1@example.com"} if number % 40 > 30 else set()
                change = traffic.next(sim.now)
                await sim.ingest(submission(item(change), at=sim.now))
                await sim.clock.sleep(dice.choice([0.0, 0.05, 0.5, 5.0]))
                if number % 10 == 0:
                    await check()
            sim.emulator.faults.clear()
            sim.tokens.without = set()
            await sim.store.unpark()
            sim.dispatcher.wake()
            await sim.settle()
            await check()
            for number in range(LEARNERS):
                story = await teller.tell(Question(f"l{number}@example.com"), limit=ALL)
                assert story.end.is_delivered, story.end
        return ends

    ends = run_virtually(main())
    assert Cause.DELIVERED in ends
    assert len(ends) > 2, "the weather was too good to show anything"
