"""Operators' port answers under its own names and addresses only."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pointsman.sources.http.own_hosts import is_own_host
from pointsman.sources.http.settings import OperatorListenerSettings

NAMES = ("pointsman-operator", "Ops.Example.com")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8081",
        "localhost.:8081",
        "127.0.0.1:8081",
        "10.1.2.3",
        "[::1]:8081",
        "[fd00::12]",
        "pointsman-operator:80",
        "ops.example.com.",
    ],
)
def test_addresses_this_machine_and_the_names_of_the_settings_are_its_own(host: str) -> None:
    assert is_own_host(host, NAMES)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "rebound.example",
        "rebound.example:8081",
        "localhost.rebound.example",
        "127.0.0.1.rebound.example",
        "pointsman-operator.rebound.example",
        "rebound.example@127.0.0.1",
        "127.0.0.1:8081@rebound.example",
        "[::1",
        "[rebound.example]",
        "127.0.0.1 rebound.example",
    ],
)
def test_any_other_name_is_not(host: str) -> None:
    assert not is_own_host(host, NAMES)


@pytest.mark.parametrize("name", ["http://ops.example.com", "ops.example.com:80", "*.example", ""])
def test_a_setting_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="must hold host names"):
        OperatorListenerSettings(hosts=(name,))
