"""Who guesses credentials has to wait; nobody else does."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from pointsman.sources.http.failed_attempts import Attempt, FailedAttempts
from tests.support.manual_clock import ManualClock

HERE, THERE = "192.0.2.7", "198.51.100.9"
GOOD, BAD = b"digest of the good one", b"digest of a wrong one"


def fail(attempts: FailedAttempts, address: str, key: bytes = b"player") -> bool:
    """Whether a wrong credential was looked at."""
    if attempts.must_wait(address, key, BAD):
        return False
    attempts.failed(address, key)
    return True


def test_an_address_that_guesses_has_to_wait_as_long_as_it_is_told() -> None:
    clock, seen = ManualClock(), list[Attempt]()
    attempts = FailedAttempts(30, clock, seen.append)
    assert sum(fail(attempts, HERE) for _ in range(2_434)) == 30
    assert seen.count(Attempt.REFUSED) == 30
    assert seen.count(Attempt.SLOWED) == 2_404
    wait = attempts.must_wait(HERE, b"player", GOOD)
    assert 0 < wait <= 2
    clock.advance(wait)
    assert fail(attempts, HERE)
    clock.advance(60)
    assert sum(fail(attempts, HERE) for _ in range(100)) == 30


def test_whatever_the_key_the_address_waits() -> None:
    attempts = FailedAttempts(30, ManualClock())
    assert sum(fail(attempts, HERE, b"user %d" % number) for number in range(500)) == 30


def test_a_good_credential_from_another_address_does_not_wait() -> None:
    attempts = FailedAttempts(30, ManualClock())
    while fail(attempts, HERE):
        pass
    assert not attempts.must_wait(THERE, b"player", GOOD)


def test_a_credential_that_was_good_here_goes_on_behind_the_same_address() -> None:
    attempts = FailedAttempts(30, ManualClock())
    attempts.succeeded(HERE, GOOD)
    while fail(attempts, HERE):
        pass
    assert not attempts.must_wait(HERE, b"player", GOOD)
    assert attempts.must_wait(HERE, b"player", BAD)


def test_a_key_that_many_addresses_guess_has_a_try_a_minute_from_each() -> None:
    clock = ManualClock()
    attempts = FailedAttempts(30, clock)
    addresses = [f"203.0.113.{number}" for number in range(100)]
    tries = sum(fail(attempts, address) for _ in range(30) for address in addresses)
    assert tries == 300
    assert not attempts.must_wait(THERE, b"player", GOOD)
    assert fail(attempts, addresses[0], b"another key")
    assert not fail(attempts, addresses[0])
    assert attempts.must_wait(addresses[0], b"player", BAD) == 60
    clock.advance(60)
    assert fail(attempts, addresses[0])


def test_a_customers_ipv6_network_is_one_address() -> None:
    attempts = FailedAttempts(30, ManualClock())
    assert sum(fail(attempts, f"2001:db8:1:2::{number:x}") for number in range(500)) == 30
    assert fail(attempts, "2001:db8:1:3::1")


@given(st.text(max_size=40), st.binary(max_size=20))
def test_anything_may_be_an_address_or_a_key(address: str, key: bytes) -> None:
    assert fail(FailedAttempts(30, ManualClock()), address, key)


def test_what_is_remembered_is_bounded() -> None:
    attempts = FailedAttempts(30, ManualClock())
    tracemalloc.start()
    try:
        for number in range(60_000):
            fail(attempts, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", b"%d" % number)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 12_000_000
