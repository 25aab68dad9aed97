"""What simulated learners do: worked out late, it is what it would have been step by step."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.desired_state import Desired
from pointsman.domain.records import Change
from pointsman.domain.targets import Target
from pointsman.simulation.run import Scenario, simulate
from pointsman.simulation.workload import (
    Burst,
    LearnerTrack,
    WorkloadNumbers,
    WorkTime,
    tracks,
)
from pointsman.store.merge import merge

NUMBERS = WorkloadNumbers(learners=3, topics=4, topic_seconds=90.0)


def merged(changes: list[tuple[float, Change]]) -> dict[Target, Desired]:
    state: dict[Target, Desired] = {}
    for at, change in changes:
        state[change.target] = merge(state.get(change.target), change, round(at * 1e6))
    return state


def asked_at(times: list[float], track: LearnerTrack) -> list[tuple[float, Change]]:
    return [pair for time in times for pair in track.changes_until(time)]


@given(times=st.lists(st.floats(0, 600), max_size=20), learner=st.integers(0, 2))
def test_who_looks_seldom_sees_the_same_values_in_the_end(times: list[float], learner: int) -> None:
    often, seldom = tracks(NUMBERS)[learner], tracks(NUMBERS)[learner]
    seen_often = merged(asked_at([*sorted(times), 600], often))
    seen_once = merged(seldom.changes_until(600))
    assert {target: one.value for target, one in seen_often.items()} == {
        target: one.value for target, one in seen_once.items()
    }
    assert {target: one.since for target, one in seen_often.items()} == {
        target: one.since for target, one in seen_once.items()
    }


def test_heartbeats_are_never_closer_and_never_farther_apart_than_said() -> None:
    (track,) = tracks(WorkloadNumbers(learners=1, topic_seconds=1e9, heartbeat=(10, 30)))
    beats = []
    time = 0.0
    for _ in range(500):
        time = track.next_change()
        beats.append(time)
        track.changes_until(time + 1e-6)
    gaps = [after - before for before, after in itertools.pairwise(beats)]
    assert 9.99 < min(gaps) < 13
    assert 27 < max(gaps) < 30.01


def test_learners_complete_topics_at_the_average_pace() -> None:
    learners = tracks(WorkloadNumbers(learners=500, topic_seconds=100))
    for learner in learners:
        learner.changes_until(1_000)
    assert sum(learner.completions for learner in learners) == pytest.approx(5_000, rel=0.05)


def test_in_a_burst_work_goes_faster() -> None:
    time = WorkTime([Burst(at=100, seconds=50, factor=5)])
    assert [time.at(moment) for moment in (0, 100, 110, 150, 160)] == [0, 100, 150, 350, 360]
    assert [time.when(work) for work in (0, 100, 150, 350, 360)] == [0, 100, 110, 150, 160]


def test_a_simulation_repeats_itself_and_delivers_all_of_it() -> None:
    scenario = Scenario(WorkloadNumbers(learners=40, topic_seconds=60), duration=120, drain=60)
    first, second = (simulate(scenario, remembers=True) for _ in range(2))
    assert first.platform.state == second.platform.state
    assert list(first.recorder.completions.seconds) == list(second.recorder.completions.seconds)
    for learner in tracks(scenario.workload):
        for target, record in merged(learner.changes_until(120)).items():
            assert first.platform.state[learner.recipient.id, target] == record.value
