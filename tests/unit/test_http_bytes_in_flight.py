"""The budget that all bodies share: who may have how much, and that it comes back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.sources.http.body import BytesInFlight, HeldBytes
from pointsman.sources.http.errors import RequestRefused


def held_from(budget: BytesInFlight, address: int) -> HeldBytes:
    return HeldBytes(budget, lambda: f"192.0.2.{address}")


def test_above_the_budget_a_request_is_told_when_to_come_again() -> None:
    budget = BytesInFlight(1_000)
    held = held_from(budget, 0)
    held.sender_is_known()
    held.add(1_000)
    other = held_from(budget, 0)
    other.sender_is_known()

    with pytest.raises(RequestRefused) as refused:
        other.add(1)

    assert refused.value.status == 503
    assert "Retry-After" in refused.value.headers
    held.release()
    other.add(1)


def test_senders_that_are_not_known_have_a_quarter_and_leave_the_rest() -> None:
    budget = BytesInFlight(1_000)
    strangers = [held_from(budget, number) for number in range(200)]
    for stranger in strangers:
        with contextlib.suppress(RequestRefused):
            stranger.add(1)
            stranger.add(250)
    assert 125 <= len(budget) <= 250
    known = held_from(budget, 0)
    known.sender_is_known()

    known.add(750)
    strangers[0].sender_is_known()

    strangers[5].add(0)
    with pytest.raises(RequestRefused):
        strangers[5].add(250)


def test_an_address_leaves_room_for_others_however_much_it_sends() -> None:
    budget = BytesInFlight(400_000)
    crowd = [held_from(budget, 1) for _ in range(200)]
    for request in crowd[:50]:
        request.add(1_000)
    with pytest.raises(RequestRefused) as refused:
        crowd[50].add(1_000)
    assert refused.value.status == 503
    assert "of this address" in refused.value.reason

    held_from(budget, 2).add(3_000)
    crowd[0].release()
    crowd[-1].sender_is_known()
    crowd[-1].add(1_000)


@pytest.mark.parametrize("addresses", [1, 4, 16, 64])
def test_a_crowd_of_any_size_leaves_something_for_who_comes_next(addresses: int) -> None:
    budget = BytesInFlight(67_108_864)
    for address in range(addresses):
        with pytest.raises(RequestRefused):  # noqa: PT012 - it sends until it is refused
            while True:
                held_from(budget, address).add(4_096)

    held_from(budget, 200).add(8_192)


def test_a_large_body_fits_where_nobody_else_sends() -> None:
    budget = BytesInFlight(67_108_864)
    body = held_from(budget, 1)
    for _ in range(1_048_576 // 8_192 * 8):
        body.add(8_192)
    assert len(budget) == 8_388_608


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
    requests = [held_from(budget, number % 3) for number in range(4)]
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
