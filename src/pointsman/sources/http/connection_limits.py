"""Decides which connections there is room for: so many in all, and so many from one address.

Where there is no more room, the connection that has been idle for longest makes room, so those
that open connections and say nothing keep nobody out. No I/O.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol

from pointsman.sources.http.client_address import address_of_customer

Networks = tuple[IPv4Network | IPv6Network, ...]


class Closed(StrEnum):
    """Why a connection was closed before its sender closed it; a label of metrics."""

    SLOW_HEAD = "slow_head"
    LARGE_HEAD = "large_head"
    UNREAD_ANSWER = "unread_answer"
    #: another connection needed the room
    IDLE = "idle"
    FULL = "full"
    FULL_FOR_ADDRESS = "full_for_address"


class Connection(Protocol):
    """What is known of one connection."""

    @property
    def is_idle(self) -> bool:
        """No request of it is under way."""

    def make_room(self) -> None:
        """Close it."""


class ConnectionLimits:
    """The connections of one listener. Proxies are no address of a sender: they count in all only.

    `most` is in all, `most_of_address` from one address; IPv6 addresses of one /64 are one.
    """

    def __init__(self, most: int, most_of_address: int, proxies: Networks) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._proxies = proxies
        #: in the order of their last request
        self._all: dict[Connection, str] = {}
        self._by_address: defaultdict[str, dict[Connection, None]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._all)

    def enter(self, connection: Connection, peer: str) -> Closed | None:
        """Count a new connection, or say why there is no room for it."""
        address = self._address(peer)
        # without an entry for an address that gets no room
        of_address = self._by_address.get(address, {})
        if len(of_address) >= self._most_of_address and not self._make_room(of_address):
            return Closed.FULL_FOR_ADDRESS
        if len(self._all) >= self._most and not self._make_room(self._all):
            return Closed.FULL
        self._all[connection] = address
        if address:
            self._by_address[address][connection] = None
        return None

    def leave(self, connection: Connection) -> None:
        """It is closed; again is no harm."""
        address = self._all.pop(connection, "")
        if not address:
            return
        of_address = self._by_address[address]
        of_address.pop(connection, None)
        if not of_address:
            del self._by_address[address]

    def answered(self, connection: Connection) -> None:
        """A request of it was answered: of all it is now idle for the shortest time."""
        address = self._all.pop(connection, None)
        if address is None:
            return
        self._all[connection] = address
        if address:
            del self._by_address[address][connection]
            self._by_address[address][connection] = None

    def _make_room(self, connections: Iterable[Connection]) -> bool:
        idle = next((one for one in connections if one.is_idle), None)
        if idle is None:
            return False
        self.leave(idle)
        idle.make_room()
        return True

    def _address(self, peer: str) -> str:
        """By which connections are counted; "" for a proxy, and for what has no address."""
        try:
            address = ip_address(peer)
        except ValueError:
            return ""
        if any(address in network for network in self._proxies):
            return ""
        return address_of_customer(peer)


#: told why a connection was closed, and the address of its other end
OnClosed = Callable[[Closed, str], None]
