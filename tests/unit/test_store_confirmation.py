"""What the platform says by itself: deliberate changes are told from drift, whatever the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.platform_events import (
    DELIBERATE_CHANGES,
    FactKey,
    FactSource,
    KnownFact,
    PlatformEvent,
    PlatformFact,
)
from pointsman.domain.targets import ReadBackPlace, Target, TargetKind
from pointsman.store.audit_entry import entry_of
from pointsman.store.completion_tally import Expectations, stuck, tally
from pointsman.store.confirmation import (
    CLOCK_SKEW,
    Confirmation,
    certificate,
    confirmation,
    deliberate_change,
    learn,
)
from pointsman.store.confirmation_records import CompletionState, Stage
from pointsman.store.records import Audited, AuditFinding

PLACE = ReadBackPlace.course("c")
TARGET = Target(TargetKind.COURSE_STATUS, "id:c")
NOW = 10_000
#: every event of its own time, and all before NOW
times = st.integers(1, 900)
events_of_a_course = st.lists(
    st.tuples(
        times,
        st.sampled_from([PlatformFact.COMPLETED, *sorted(DELIBERATE_CHANGES)]),
        st.sampled_from([FactSource.WEBHOOK, FactSource.FEED]),
    ),
    max_size=7,
    unique_by=lambda made: made[0],
)


def event(
    at: int, fact: PlatformFact, source: FactSource = FactSource.WEBHOOK, value: str = ""
) -> PlatformEvent:
    return PlatformEvent(("ana",), PLACE, fact, at, source, value)


def known_after(events: Sequence[PlatformEvent], now: int = NOW) -> list[KnownFact]:
    known: dict[FactKey, KnownFact] = {}
    for told in events:
        learned = learn(known, told, now)
        if learned is not None:
            known[learned[0].key] = learned[0]
    return list(known.values())


def completion(*facts: KnownFact, **more: object) -> CompletionState:
    state = CompletionState(
        learner="ana",
        place=PLACE,
        target=TARGET,
        rule="a rule",
        is_completed=True,
        finished_at=100,
        occurred_at=100,
        delivered_at=110,
        parked="",
        audit="",
        audited_at=None,
        facts=facts,
    )
    return replace(state, **more)  # type: ignore[arg-type]


@given(made=events_of_a_course, work_at=times, data=st.data())
def test_a_change_on_purpose_is_told_from_drift_in_whatever_order_its_event_comes(
    made: list[tuple[int, PlatformFact, FactSource]], work_at: int, data: st.DataObject
) -> None:
    told = data.draw(st.permutations([event(*one) for one in made]))
    # each may be told twice, by webhook and by feed, and late
    repeated = [*told, *(replace(one, source=FactSource.FEED) for one in told)]
    facts = known_after(repeated)
    changes = [at for at, fact, _ in made if fact in DELIBERATE_CHANGES]
    completions = [at for at, fact, _ in made if fact is PlatformFact.COMPLETED]
    newest = max(changes, default=0)
    on_purpose = newest >= work_at and newest > max(completions, default=0) and newest > 0

    change = deliberate_change(facts, work_at)
    assert (change is not None) == on_purpose
    assert change is None or change.at == newest

    row = {
        "audit": "",
        "audited_at": None,
        "occurred_at": work_at,
        "delivered_at": work_at,
        "read_back": str(PLACE),
    }
    finding = AuditFinding(TARGET, 1, "differs", "drift")
    entry = entry_of(row, finding, {str(PLACE): facts}, NOW, None)
    assert entry.outcome is (Audited.CONTRADICTED if on_purpose else Audited.RESENT)
    again = entry_of({**row, "audit": entry.audit}, finding, {str(PLACE): facts}, NOW, None)
    assert again.outcome is (Audited.CONTRADICTED if on_purpose else Audited.DRIFT)
    assert again.is_sent_again is not on_purpose
    # what was delivered after it, by an operator or before it was told, has undone it
    later = {**row, "delivered_at": max(newest, work_at) + CLOCK_SKEW + 1}
    assert entry_of(later, finding, {str(PLACE): facts}, NOW, None).outcome is Audited.RESENT


@given(made=events_of_a_course)
def test_what_is_told_twice_is_no_news(made: list[tuple[int, PlatformFact, FactSource]]) -> None:
    told = [event(*one) for one in made]
    assert known_after([*told, *told]) == known_after(told)


def test_the_first_who_told_is_kept_until_something_undid_it() -> None:
    first = event(200, PlatformFact.COMPLETED)
    feed = event(210, PlatformFact.COMPLETED, FactSource.FEED)
    (fact,) = known_after([first, feed])
    assert (fact.source, fact.at) == (FactSource.WEBHOOK, 210)
    reset = event(300, PlatformFact.PROGRESS_RESET)
    again = event(400, PlatformFact.COMPLETED, FactSource.FEED)
    for order in permutations([first, reset, again]):
        facts = known_after(order)
        assert deliberate_change(facts, 100) is None
    by_fact = {fact.fact: fact for fact in known_after([first, reset, again])}
    assert by_fact[PlatformFact.COMPLETED].source is FactSource.FEED


def test_an_event_from_the_future_counts_as_of_now() -> None:
    (fact,) = known_after([event(NOW + 5, PlatformFact.COMPLETED)])
    assert fact.at == NOW


@pytest.mark.parametrize(
    ("state", "expected", "stage"),
    [
        (completion(delivered_at=None), Confirmation.UNDELIVERED, Stage.FINISHED),
        (completion(delivered_at=None, parked="no token"), Confirmation.UNDELIVERED, "finished"),
        (completion(delivered_at=9_500), Confirmation.WAITING, None),
        (completion(), Confirmation.UNCONFIRMED, Stage.DELIVERED),
        (completion(audit="agrees", audited_at=200), Confirmation.CONFIRMED, None),
        (
            completion(*known_after([event(150, PlatformFact.COMPLETED)], 160)),
            Confirmation.CONFIRMED,
            None,
        ),
        (
            completion(*known_after([event(150, PlatformFact.PROGRESS_RESET)], 160)),
            Confirmation.CONTRADICTED,
            Stage.DELIVERED,
        ),
        (
            completion(*known_after([event(50, PlatformFact.PROGRESS_RESET)], 160)),
            Confirmation.UNCONFIRMED,
            Stage.DELIVERED,
        ),
        (
            completion(*known_after([event(150, PlatformFact.COMPLETED)], 160), rule="with one"),
            Confirmation.CONFIRMED,
            Stage.CONFIRMED,
        ),
        (
            completion(
                *known_after(
                    [event(150, PlatformFact.COMPLETED), event(151, PlatformFact.CERTIFICATE)], 160
                ),
                rule="with one",
            ),
            Confirmation.CONFIRMED,
            None,
        ),
    ],
)
def test_each_completion_has_its_state_and_is_stuck_where_it_is_late(
    state: CompletionState, expected: Confirmation, stage: Stage | None
) -> None:
    expectations = Expectations(1_000, 1_000, frozenset({"with one"}))
    assert confirmation(state, now=NOW, unconfirmed_after=1_000).state is expected
    found = stuck(state, expectations, NOW)
    assert (None if found is None else found.stage) == stage
    (place,) = tally([state], expectations, NOW).values()
    assert (place.completions, place.states[expected]) == (1, 1)


def test_a_revoked_certificate_is_none_until_it_is_granted_again() -> None:
    granted = event(100, PlatformFact.CERTIFICATE)
    revoked = event(200, PlatformFact.CERTIFICATE_REVOKED)
    assert certificate(known_after([granted])) is not None
    for order in ([granted, revoked], [revoked, granted]):
        assert certificate(known_after(order)) is None
    again = replace(granted, at=300)
    assert certificate(known_after([granted, revoked, again])) is not None


def test_what_was_never_completed_is_no_completion() -> None:
    state = completion(is_completed=False)
    expectations = Expectations(1_000, 1_000)
    assert tally([state], expectations, NOW) == {}
    assert stuck(state, expectations, NOW) is None
