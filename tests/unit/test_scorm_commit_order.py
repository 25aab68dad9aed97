"""Which commit of a session is the newest, whatever the order of arrival."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import InputRefused
from pointsman.domain.launch import LaunchMode
from pointsman.statements.scorm import Commit, ScormSession, order_commit, starting_data
from pointsman.statements.scorm.commit import parse_commit
from pointsman.statements.scorm.commit_order import (
    SeenCommit,
    digest,
    session_from_json,
    session_to_json,
)
from tests.support.scorm_bodies import BODIES, LAUNCH

SECOND = 1_000_000


def commit(page: int, sequence: int | None = None) -> Commit:
    return Commit("1.2", {"suspend_data": f"page={page}"}, sequence=sequence)


class Sessions:
    """Commits as they come, a second apart, and where each of them is put."""

    def __init__(self) -> None:
        self.session = ScormSession()
        self.now = 0

    def take(self, page: int, sequence: int | None = None, player: str = "") -> tuple[int, bool]:
        self.now += SECOND
        placed = order_commit(self.session, commit(page, sequence), player, self.now)
        self.session = session_from_json(session_to_json(placed.session))
        return placed.at, placed.newest

    @property
    def page(self) -> Any:
        return self.session.cmi["suspend_data"]


def test_without_numbers_the_newest_is_the_last_to_come() -> None:
    sessions = Sessions()
    assert [sessions.take(page) for page in (1, 2, 1)] == [
        (1 * SECOND, True),
        (2 * SECOND, True),
        (3 * SECOND, True),
    ]
    assert sessions.page == "page=1"


def test_what_repeats_the_last_counts_as_of_the_same_time() -> None:
    sessions = Sessions()
    assert sessions.take(1) == sessions.take(1) == (SECOND, True)
    assert len(sessions.session.seen) == 1


def test_a_number_that_fills_a_gap_is_late() -> None:
    sessions = Sessions()
    assert sessions.take(2, 2) == (SECOND, True)
    assert sessions.take(1, 1) == (SECOND - 1, False)
    assert sessions.page == "page=2"
    assert sessions.take(1, 1) == (SECOND - 1, False)  # the queue sends it once more
    assert sessions.take(3, 3) == (4 * SECOND, True)


def test_a_late_one_stands_between_its_neighbours() -> None:
    sessions = Sessions()
    for number in (1, 3):
        sessions.take(number, number)
    at, newest = sessions.take(2, 2)
    assert (SECOND < at < 2 * SECOND, newest) == (True, False)


def test_a_number_that_comes_again_with_other_content_begins_a_new_run() -> None:
    sessions = Sessions()
    for number in (1, 2):
        sessions.take(number, number)
    assert sessions.take(7, 1) == (3 * SECOND, True)
    assert sessions.page == "page=7"
    assert sessions.take(2, 2) == (2 * SECOND, False)  # of the first run, once more
    assert sessions.page == "page=7"


def test_a_player_that_names_its_runs_leaves_no_doubt() -> None:
    sessions = Sessions()
    assert sessions.take(2, 2, "a") == (SECOND, True)
    assert sessions.take(1, 1, "b") == (2 * SECOND, True)  # by its number it were late
    assert sessions.take(8, 1, "a") == (SECOND - 1, False)
    assert sessions.page == "page=1"


def test_of_two_tabs_the_one_that_goes_on_is_the_newer() -> None:
    sessions = Sessions()
    for page, number, player in ((1, 1, "a"), (2, 1, "b"), (3, 2, "a")):
        assert sessions.take(page, number, player)[1]
    assert sessions.page == "page=3"


@pytest.mark.parametrize("text", ["ü" * 1_000, "\ud83d", "😀"])
def test_a_session_comes_back_as_it_was_kept(text: str) -> None:
    placed = order_commit(ScormSession(), Commit("1.2", {"suspend_data": text}), "run", SECOND)
    assert session_from_json(session_to_json(placed.session)) == placed.session
    assert len(session_to_json(placed.session)) < len(text) * 2 + 300


def test_no_two_commits_count_as_of_the_same_moment() -> None:
    session = ScormSession()
    times = []
    for page in range(3):
        placed = order_commit(session, commit(page), "", SECOND)
        session = placed.session
        times.append(placed.at)
    assert times == [SECOND, SECOND + 1, SECOND + 2]


def test_a_commit_without_run_time_data_leaves_the_place_in_the_course() -> None:
    sessions = Sessions()
    sessions.take(1)
    placed = order_commit(sessions.session, Commit("2004", completion=True), "", 9 * SECOND)
    assert (placed.newest, placed.session.cmi) == (True, {"suspend_data": "page=1"})


@given(st.permutations(range(1, 8)), st.lists(st.integers(1, 7), max_size=5))
def test_whatever_the_order_of_arrival_the_highest_number_stays(
    order: list[int], again: list[int]
) -> None:
    sessions = Sessions()
    times: dict[int, int] = {}
    for number in [*order, *again]:
        times[number], _ = sessions.take(number, number, "run")
    assert sessions.page == "page=7"
    assert max(times, key=times.__getitem__) == 7


@given(st.lists(st.integers(1, 200), min_size=1, max_size=200))
def test_a_session_stays_small(pages: list[int]) -> None:
    sessions = Sessions()
    for page in pages:
        sessions.take(page)
    assert len(sessions.session.seen) <= 64


def test_a_fresh_player_starts_at_the_beginning() -> None:
    assert starting_data(LAUNCH, ScormSession()) == {
        "registration": LAUNCH.registration,
        "activity": LAUNCH.activity,
        "version": None,
        "cmi": None,
        "entry": "ab-initio",
        "learner": {"id": "ana@example.com", "name": "Ana"},
        "mode": "normal",
        "credit": "credit",
        "masteryScore": None,
        "launchData": "",
    }


@pytest.mark.parametrize(
    ("mode", "credit"), [(LaunchMode.BROWSE, "no-credit"), (LaunchMode.NORMAL, "credit")]
)
def test_the_next_run_resumes_with_what_the_last_one_left(mode: LaunchMode, credit: str) -> None:
    sessions = Sessions()
    sessions.take(4)
    launch = replace(LAUNCH, mode=mode, mastery_score=0.8, player={"launchParameters": "lang=de"})
    data = starting_data(launch, sessions.session)
    assert data["cmi"] == {"suspend_data": "page=4"}
    assert (data["version"], data["entry"], data["mode"], data["credit"]) == (
        "1.2",
        "resume",
        mode.lower(),
        credit,
    )
    assert (data["masteryScore"], data["launchData"]) == (0.8, "lang=de")


@given(BODIES, st.booleans())
def test_a_commit_is_known_by_the_digest_that_earlier_versions_gave_it(
    body: bytes, final: bool
) -> None:
    try:
        made = parse_commit(body, final=final)
    except InputRefused:
        return
    fields = asdict(replace(made, sequence=None))
    del fields["left_out"]
    text = json.dumps(fields, sort_keys=True)
    assert digest(made) == hashlib.sha256(text.encode()).hexdigest()[:32]
    session = ScormSession((SeenCommit(1, "a", 2, "d", 3),), "1.2", made.cmi, 4)
    assert json.loads(session_to_json(session)) == json.loads(json.dumps(asdict(session)))
