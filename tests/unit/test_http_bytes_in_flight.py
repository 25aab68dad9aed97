"""The budget that all bodies share: who may have how much, and that it comes back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.sources.http.body import BytesInFlight, HeldBytes
from pointsman.sources.http.errors import RequestRefused


def test_above_the_budget_a_request_is_told_when_to_come_again() -> None:
    budget = BytesInFlight(1_000)
    held = HeldBytes(budget)
    held.sender_is_known()
    held.add(1_000)
    other = HeldBytes(budget)
    other.sender_is_known()

    with pytest.raises(RequestRefused) as refused:
        other.add(1)

    assert refused.value.status == 503
    assert "Retry-After" in refused.value.headers
    held.release()
    other.add(1)


def test_senders_that_are_not_known_have_a_quarter_and_leave_the_rest() -> None:
    budget = BytesInFlight(1_000)
    strangers = [HeldBytes(budget) for _ in range(6)]
    for stranger in strangers[:5]:
        stranger.add(50)
    with pytest.raises(RequestRefused):
        strangers[5].add(1)
    known = HeldBytes(budget)
    known.sender_is_known()

    known.add(750)
    strangers[0].sender_is_known()

    strangers[5].add(0)
    assert len(budget) == 1_000


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "known", "release"]), st.integers(0, 3), st.integers(0, 400)
        )
    )
)
def test_the_budget_holds_what_requests_hold_and_never_more_than_it_may(
    steps: list[tuple[str, int, int]],
) -> None:
    budget = BytesInFlight(1_000)
    requests = [HeldBytes(budget) for _ in range(4)]
    for step, number, count in steps:
        match step:
            case "add":
                with contextlib.suppress(RequestRefused):
                    requests[number].add(count)
            case "known":
                requests[number].sender_is_known()
            case _:
                requests[number].release()
        assert 0 <= len(budget) <= 1_000
    for request in requests:
        request.release()
    assert len(budget) == 0
