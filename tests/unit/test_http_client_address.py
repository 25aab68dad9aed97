"""From which address a request comes, whatever its sender writes into headers."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from pointsman.sources.http.client_address import (
    TRUSTED_PROXIES,
    TrustedProxies,
    client_address,
    sender_address,
)

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:f::/48"))
XFF, FORWARDED = "X-Forwarded-For", "Forwarded"
STRANGER, ANA = "203.0.113.9", "198.51.100.7"


@pytest.mark.parametrize(
    ("peer", "values", "header", "address"),
    [
        pytest.param(STRANGER, [], XFF, STRANGER, id="no proxy, no header"),
        pytest.param(STRANGER, [ANA], XFF, STRANGER, id="a stranger's own word"),
        pytest.param("10.0.0.1", [], XFF, "10.0.0.1", id="a proxy that says nothing"),
        pytest.param("10.0.0.1", [ANA], XFF, ANA, id="a proxy"),
        pytest.param("10.0.0.1", [f"{STRANGER}, {ANA}"], XFF, ANA, id="the sender wrote one too"),
        pytest.param("10.0.0.1", [STRANGER, ANA], XFF, ANA, id="in two headers"),
        pytest.param("10.0.0.1", [f"{ANA}, 10.0.0.2"], XFF, ANA, id="two proxies"),
        pytest.param("10.0.0.1", ["10.0.0.3, 10.0.0.2"], XFF, "10.0.0.3", id="all proxies"),
        pytest.param("10.0.0.1", ["unknown"], XFF, "10.0.0.1", id="no address"),
        pytest.param("10.0.0.1", [f"{ANA}:4711"], XFF, ANA, id="with a port"),
        pytest.param("2001:db8:f::1", ["[2001:db8::7]:80"], XFF, "2001:db8::7", id="IPv6"),
        pytest.param("::ffff:10.0.0.1", ["::ffff:198.51.100.7"], XFF, ANA, id="IPv4 in IPv6"),
        pytest.param("10.0.0.1", [f"for={ANA};proto=https"], FORWARDED, ANA, id="Forwarded"),
        pytest.param(
            "10.0.0.1", [f'for={STRANGER}, For="{ANA}:80"'], FORWARDED, ANA, id="Forwarded, two"
        ),
        pytest.param(
            "10.0.0.1", ['by=x;for="[2001:db8::7]"'], FORWARDED, "2001:db8::7", id="Forwarded, IPv6"
        ),
        pytest.param("10.0.0.1", ["for=_hidden"], FORWARDED, "10.0.0.1", id="Forwarded, hidden"),
        pytest.param("", [ANA], XFF, "", id="no address of the other end"),
    ],
)
def test_the_last_hop_that_is_no_proxy_of_ours_is_the_sender(
    peer: str, values: list[str], header: str, address: str
) -> None:
    assert client_address(peer, values, PROXIES, header) == address


@given(st.lists(st.text(max_size=80), max_size=40), st.sampled_from([XFF, FORWARDED]))
def test_whatever_a_sender_writes_the_proxys_own_word_for_it_counts(
    written: list[str], header: str
) -> None:
    appended = ANA if header == XFF else f"for={ANA}"

    assert client_address("10.0.0.1", [*written, appended], PROXIES, header) == ANA
    assert client_address(STRANGER, written, PROXIES, header) == STRANGER


@pytest.mark.parametrize(
    ("networks", "address"), [((), "10.0.0.1"), (PROXIES, ANA)], ids=["no proxies", "proxies"]
)
def test_a_request_is_asked_with_what_its_application_knows(
    networks: tuple[Any, ...], address: str
) -> None:
    app = web.Application()
    app[TRUSTED_PROXIES] = TrustedProxies(networks)
    transport = Mock()
    transport.get_extra_info.return_value = ("10.0.0.1", 4711)
    request = make_mocked_request("GET", "/", headers={XFF: ANA}, app=app, transport=transport)

    assert sender_address(request) == address
