"""Decides from which address a request comes: the other end's, or what a known proxy says.

Every sender can write such a header, so it is believed of the proxies of the settings only, and of
one header only: a proxy that appends to the one lets the other pass as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

#: "for" of RFC 7239 section 4, in quotation marks or not
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^;\s]*))', re.IGNORECASE)
#: a customer of a provider is given that many bits of an IPv6 address, and makes up the rest
_OF_ONE_CUSTOMER = 64
#: hops that are looked at; nobody has as many proxies
_MOST_HOPS = 32
#: addresses whose customer is remembered
_MOST_ADDRESSES = 4_096


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """Whose word is believed, and the header in which they give it."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    header: str = "X-Forwarded-For"


#: where an application keeps those of its settings
TRUSTED_PROXIES = web.AppKey("trusted_proxies", TrustedProxies)


def sender_address(request: web.Request) -> str:
    """The address of who sent a request; "" where the connection has none."""
    trusted = request.app.get(TRUSTED_PROXIES)
    if trusted is None or not trusted.networks:
        return request.remote or ""
    values = request.headers.getall(trusted.header, [])
    return client_address(request.remote or "", values, trusted.networks, trusted.header)


@lru_cache(_MOST_ADDRESSES)
def address_of_customer(text: str) -> str:
    """An address, of IPv6 the /64 that it is in, by which senders are told apart."""
    try:
        address = _plain(ip_address(text))
    except ValueError:
        return text
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, _OF_ONE_CUSTOMER), strict=False))
    return str(address)


def client_address(
    peer: str, values: Sequence[str], proxies: Sequence[IPv4Network | IPv6Network], header: str
) -> str:
    """The address of who sent the request to the first of our proxies, or to us.

    `values` are those of `header`, X-Forwarded-For or Forwarded, in their order. What was said
    before the last hop that is no proxy of ours is that hop's own word, and not believed.
    """
    address = peer
    for hop in reversed(_hops(values, header)[-_MOST_HOPS:]):
        if not _is_proxy(address, proxies):
            break
        named = _address(hop)
        if named is None:
            break
        address = named
    return address


def _hops(values: Iterable[str], header: str) -> list[str]:
    elements = [element for value in values for element in value.split(",")]
    if header == "X-Forwarded-For":
        return elements
    found = (_FOR.search(element.strip()) for element in elements)
    return ["" if match is None else match[1] or match[2] or "" for match in found]


def _is_proxy(text: str, proxies: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        address = _plain(ip_address(text))
    except ValueError:
        return False
    return any(address in network for network in proxies)


def _address(hop: str) -> str | None:
    """Of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`."""
    text = hop.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(_plain(ip_address(text)))
    except ValueError:
        return None


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address that is written as IPv6 is the IPv4 one."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
