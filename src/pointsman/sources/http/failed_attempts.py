"""Slows down who guesses credentials: by address, and by key where many addresses guess one.

A sender that waits is refused before its credential is looked at, so that it learns nothing. A
credential that was good from an address stays good from there, whoever else fails behind the same
address; and one that comes from an address where nobody failed is always looked at. No I/O. What is
remembered is bounded: the longest ago is forgotten first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from cachetools import LRUCache

from pointsman.domain.clock import Clock
from pointsman.sources.http.client_address import address_of_customer

K = TypeVar("K", bound=Hashable)

_MINUTE = 60.0
#: addresses, keys, and good credentials that are remembered
_MOST = 10_000
#: a key is guessed at when it fails so many times as often as one address may fail
_TIMES = 10


class Attempt(StrEnum):
    """What became of an attempt that failed; a label of metrics."""

    REFUSED = "refused"
    #: not looked at
    SLOWED = "slowed"


@dataclass(frozen=True, slots=True)
class _Failures:
    """So many failures, of which `per_minute` are forgotten in a minute; the last was at `at`."""

    count: float = 0.0
    at: float = -math.inf


class _Counts(Generic[K]):
    """Failures by address, or by key."""

    def __init__(self, per_minute: float) -> None:
        self.most = per_minute
        self._rate = per_minute / _MINUTE
        self._of: LRUCache[K, _Failures] = LRUCache(_MOST)

    def at(self, key: K, now: float) -> _Failures:
        known = self._of.get(key, _Failures())
        return _Failures(max(0.0, known.count - (now - known.at) * self._rate), known.at)

    def add(self, key: K, now: float) -> None:
        self._of[key] = _Failures(self.at(key, now).count + 1, now)

    def wait(self, count: float) -> float:
        """Seconds until there is room for one failure more."""
        return max(0.0, (count + 1 - self.most) / self._rate)


class FailedAttempts:
    """`per_minute` is how often an address may fail; a /64 of IPv6 is one address.

    `on_attempt` is told of each attempt that failed.
    """

    def __init__(
        self,
        per_minute: float,
        clock: Clock,
        on_attempt: Callable[[Attempt], None] = lambda _attempt: None,
    ) -> None:
        self._clock = clock
        self._on_attempt = on_attempt
        self._addresses: _Counts[str] = _Counts(per_minute)
        self._keys: _Counts[bytes] = _Counts(per_minute * _TIMES)
        self._good: LRUCache[tuple[str, bytes], bool] = LRUCache(_MOST)

    def must_wait(self, address: str, key: bytes, digest: bytes) -> float:
        """Seconds until the sender may try again; 0 where its credential is to be looked at.

        `digest` is that of all that was shown, `key` what names the credential and is no secret.
        """
        address = address_of_customer(address)
        if self._good.get((address, digest)):  # and now it is the newest
            return 0.0
        now = self._clock.monotonic()
        failures = self._addresses.at(address, now)
        wait = self._addresses.wait(failures.count)
        if self._keys.wait(self._keys.at(key, now).count):
            # every address has one try a minute
            wait = max(wait, failures.at + _MINUTE - now)
        if wait:
            self._on_attempt(Attempt.SLOWED)
        return wait

    def failed(self, address: str, key: bytes) -> None:
        """The credential was looked at, and is not known."""
        now = self._clock.monotonic()
        self._addresses.add(address_of_customer(address), now)
        self._keys.add(key, now)
        self._on_attempt(Attempt.REFUSED)

    def succeeded(self, address: str, digest: bytes) -> None:
        """The credential is good."""
        good = address_of_customer(address), digest
        if good not in self._good:
            self._good[good] = True
