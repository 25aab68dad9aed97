"""Which connections there is room for, and who makes room."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_network

from hypothesis import example, given
from hypothesis import strategies as st

from pointsman.sources.http.connection_limits import Closed, ConnectionLimits


@dataclass(eq=False)
class Fake:
    is_idle: bool = True
    closed: bool = False
    entered: list[Closed | None] = field(default_factory=list)

    def make_room(self) -> None:
        self.closed = True


def entered(limits: ConnectionLimits, peer: str, *, is_idle: bool = True) -> Fake:
    connection = Fake(is_idle)
    connection.entered.append(limits.enter(connection, peer))
    return connection


def test_the_connection_that_is_idle_for_longest_makes_room() -> None:
    limits = ConnectionLimits(3, 3, ())
    busy, old, young = (
        entered(limits, "10.0.0.1", is_idle=False),
        entered(limits, "10.0.0.2"),
        entered(limits, "10.0.0.3"),
    )
    limits.answered(old)

    new = entered(limits, "10.0.0.4")

    assert new.entered == [None]
    assert (busy.closed, old.closed, young.closed) == (False, False, True)
    assert len(limits) == 3


def test_there_is_no_room_where_all_are_busy() -> None:
    limits = ConnectionLimits(2, 2, ())
    for number in range(2):
        entered(limits, f"10.0.0.{number}", is_idle=False)

    assert entered(limits, "10.0.0.9").entered == [Closed.FULL]


def test_an_address_makes_room_for_itself_and_not_for_others() -> None:
    limits = ConnectionLimits(100, 2, ())
    other = entered(limits, "10.0.0.2")
    first = entered(limits, "10.0.0.1")
    entered(limits, "10.0.0.1", is_idle=False)

    assert entered(limits, "10.0.0.1", is_idle=False).entered == [None]
    assert first.closed
    assert entered(limits, "10.0.0.1").entered == [Closed.FULL_FOR_ADDRESS]
    assert not other.closed


def test_addresses_of_one_ipv6_customer_are_one() -> None:
    limits = ConnectionLimits(100, 1, ())
    entered(limits, "2001:db8:1:2::1", is_idle=False)

    assert entered(limits, "2001:db8:1:2:ffff::9").entered == [Closed.FULL_FOR_ADDRESS]
    assert entered(limits, "2001:db8:1:3::1").entered == [None]


def test_a_proxy_is_no_address_of_a_sender() -> None:
    limits = ConnectionLimits(5, 1, (ip_network("10.0.0.0/8"),))

    for _ in range(5):
        assert entered(limits, "10.1.1.1", is_idle=False).entered == [None]
    assert entered(limits, "10.1.1.1").entered == [Closed.FULL]


@example([("enter", number // 2, False) for number in range(5)])
@given(
    st.lists(
        st.tuples(st.sampled_from(["enter", "leave", "answered"]), st.integers(0, 5), st.booleans())
    )
)
def test_never_more_than_allowed_and_nothing_is_remembered_of_who_left(
    steps: list[tuple[str, int, bool]],
) -> None:
    limits = ConnectionLimits(4, 2, ())
    there: list[Fake] = []
    for step, number, is_idle in steps:
        if step == "enter":
            connection = entered(limits, f"10.0.0.{number % 3}", is_idle=is_idle)
            if connection.entered == [None]:
                there.append(connection)
        elif there:
            connection = there[number % len(there)]
            if step == "answered":
                limits.answered(connection)
            else:
                limits.leave(connection)
                there.remove(connection)
        there = [connection for connection in there if not connection.closed]
        assert len(limits) == len(there) <= 4
    for connection in there:
        limits.leave(connection)
    assert len(limits) == 0
    assert not limits._by_address
