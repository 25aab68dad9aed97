"""Which proxy the environment names for an address, and what it keeps from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import ConfigError
from pointsman.outgoing.proxies import environment_proxy

PROXY = "http://proxy.example.com:3128"
URL = "https://learn.example.com/helium"


def used(url: str = URL, **environment: str) -> str | None:
    proxy = environment_proxy(url, environment)
    return None if proxy is None else f"{proxy.url} {proxy.setting}"


def test_each_scheme_has_its_variable_and_lower_case_goes_first() -> None:
    assert used() is None
    assert used(HTTP_PROXY=PROXY) is None
    assert used(HTTPS_PROXY=PROXY) == f"{PROXY} HTTPS_PROXY"
    assert used(HTTPS_PROXY="http://other:1", https_proxy=PROXY) == f"{PROXY} https_proxy"
    assert used("http://learn.example.com", HTTP_PROXY=PROXY) == f"{PROXY} HTTP_PROXY"
    assert used(ALL_PROXY=PROXY) == f"{PROXY} ALL_PROXY"
    assert used(HTTPS_PROXY="", ALL_PROXY=" ") is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("proxy:3128", "http://proxy:3128"),
        ("http://proxy:3128/", "http://proxy:3128"),
        ("https://proxy:443", "https://proxy:443"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("http://user:p%40ss@proxy:3128", "http://proxy:3128"),
    ],
)
def test_a_proxy_is_an_address_with_or_without_its_scheme(text: str, url: str) -> None:
    proxy = environment_proxy(URL, {"HTTPS_PROXY": text})
    assert proxy is not None
    assert proxy.url == url
    assert proxy.authorization == ("Basic dXNlcjpwQHNz" if "@" in text else None)
    assert "p@ss" not in repr(proxy)
    assert "Basic" not in repr(proxy)


@pytest.mark.parametrize("text", ["socks5://proxy:1080", "http://", "http://proxy:x", "ftp://p:1"])
def test_what_is_no_proxy_of_ours_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^HTTPS_PROXY: must be http://HOST:PORT"):
        environment_proxy(URL, {"HTTPS_PROXY": text})


@pytest.mark.parametrize(
    ("excepted", "url", "is_direct"),
    [
        ("learn.example.com", URL, True),
        ("LEARN.Example.com", URL, True),
        ("example.com", URL, True),
        (".example.com", URL, True),
        ("*.example.com", URL, True),
        ("xample.com", URL, False),
        ("other.com,example.com", URL, True),
        ("other.com example.com", URL, True),
        ("example.com:443", URL, True),
        ("example.com:8443", URL, False),
        ("*", URL, True),
        ("", URL, False),
        (",", URL, False),
        ("10.0.0.0/8", "https://10.1.2.3/x", True),
        ("10.1.2.3", "https://10.1.2.3/x", True),
        ("10.1.2.3:443", "https://10.1.2.3/x", True),
        ("11.0.0.0/8", "https://10.1.2.3/x", False),
        ("::1", "https://[::1]/x", True),
        ("fd00::/8", "https://[fd12::1]/x", True),
        ("[::1]:443", "https://[::1]/x", True),
        (".svc,.cluster.local", "https://sso.default.svc/x", True),
        ("localhost", "https://localhost./x", True),
    ],
)
def test_no_proxy_names_hosts_addresses_and_networks(
    excepted: str, url: str, is_direct: bool
) -> None:
    for variable in ("NO_PROXY", "no_proxy"):
        assert (used(url, HTTPS_PROXY=PROXY, **{variable: excepted}) is None) == is_direct


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_the_variables_hold_there_is_a_proxy_none_or_an_error(
    proxy: str, excepted: str
) -> None:
    try:
        environment_proxy(URL, {"HTTPS_PROXY": proxy, "NO_PROXY": excepted})
    except ConfigError as error:
        assert "HTTPS_PROXY" in str(error)  # noqa: PT017 - either is right
