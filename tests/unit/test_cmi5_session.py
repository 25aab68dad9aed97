"""Sessions of a registration: which is open, which is over, and what may still be said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.launch import LaunchMode
from pointsman.sources.players.cmi5.session import (
    Cmi5Session,
    changed,
    dump,
    find,
    load,
    may_be_fetched,
    with_new,
)
from pointsman.sources.players.cmi5.session_rules import refusal

OLD = Cmi5Session("old", 10)
NEW = Cmi5Session("new", 20)
SECOND = 1_000_000


def test_the_first_session_supersedes_none() -> None:
    assert with_new((), OLD) == (OLD,)


def test_a_new_session_ends_the_one_before() -> None:
    assert with_new((OLD,), NEW) == (replace(OLD, superseded_at=20), NEW)


def test_one_that_was_terminated_is_not_superseded() -> None:
    ended = replace(OLD, terminated_at=15)
    assert with_new((ended,), NEW) == (ended, NEW)


def test_what_is_over_stays_over_as_it_was() -> None:
    over = replace(OLD, superseded_at=12)
    assert with_new((over, replace(NEW, terminated_at=21)), Cmi5Session("newest", 30))[0] == over


def test_a_hundred_sessions_are_remembered() -> None:
    sessions: tuple[Cmi5Session, ...] = ()
    for number in range(120):
        sessions = with_new(sessions, Cmi5Session(str(number), number))
    assert [one.id for one in sessions] == [str(number) for number in range(20, 120)]


@pytest.mark.parametrize(
    ("session", "abandoned"),
    [
        (OLD, False),
        (replace(OLD, superseded_at=20), False),
        (replace(OLD, fetched=True), False),
        (replace(OLD, fetched=True, terminated_at=15), False),
        (replace(OLD, fetched=True, superseded_at=20), True),
    ],
)
def test_only_what_began_and_was_superseded_is_abandoned(
    session: Cmi5Session, *, abandoned: bool
) -> None:
    assert session.was_abandoned is abandoned


@pytest.mark.parametrize(
    ("session", "good"),
    [
        (None, False),
        (OLD, True),
        (replace(OLD, fetched=True), False),
        (replace(OLD, terminated_at=15), False),
        (replace(OLD, superseded_at=20), False),
    ],
)
def test_a_fetch_url_is_good_once_and_while_the_session_lasts(
    session: Cmi5Session | None, *, good: bool
) -> None:
    assert may_be_fetched(session) is good


@pytest.mark.parametrize(
    ("session", "now", "words"),
    [
        (OLD, 10**15, ""),
        (None, 0, "not known any longer"),
        (replace(OLD, superseded_at=20), 20, "launched again"),
        (replace(OLD, terminated_at=SECOND), 61 * SECOND, ""),
        (replace(OLD, terminated_at=SECOND), 61 * SECOND + 1, "launches.grace_seconds"),
    ],
)
def test_what_is_said_too_late_is_told_why(
    session: Cmi5Session | None, now: int, words: str
) -> None:
    why = refusal(session, now, 60)
    assert (why is None) is (words == "")
    assert words in (why or "")


def test_a_session_is_found_and_changed_by_its_id() -> None:
    sessions = changed((OLD, NEW), "new", lambda one: replace(one, fetched=True))
    assert sessions == (OLD, replace(NEW, fetched=True))
    assert find(sessions, "old") == OLD
    assert find(sessions, "other") is None


TIMES = st.none() | st.integers(0, 2**53)


@given(
    st.lists(
        st.builds(
            Cmi5Session,
            st.uuids().map(str),
            st.integers(0, 2**53),
            st.sampled_from(LaunchMode),
            fetched=st.booleans(),
            preferences_read=st.booleans(),
            begun=st.booleans(),
            said=st.lists(st.text()).map(tuple),
            terminated_at=TIMES,
            superseded_at=TIMES,
        ),
        max_size=5,
    ).map(tuple)
)
def test_sessions_are_read_as_they_were_written(sessions: tuple[Cmi5Session, ...]) -> None:
    assert load(dump(sessions)) == sessions


def test_what_other_versions_wrote_is_read() -> None:
    earlier = b'[{"id":"s1","opened_at":1,"mode":"Normal","fetched":true,"begun":true}]'
    assert load(earlier) == (Cmi5Session("s1", 1, fetched=True, begun=True),)
    later = b'[{"id":"s1","opened_at":1,"mode":"Normal","said":["x"],"of_tomorrow":1}]'
    assert load(later) == (Cmi5Session("s1", 1, said=("x",)),)
