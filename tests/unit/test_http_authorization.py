"""Who sends: every shape of an Authorization header."""

from __future__ import annotations

import base64

import pytest
from pydantic import SecretStr

from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import Unauthorized
from pointsman.sources.http import authorization
from pointsman.sources.http.authorization import (
    Authenticator,
    BasicCredential,
    BearerCredential,
    HttpSource,
)
from pointsman.sources.http.failed_attempts import FailedAttempts


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


HERE = "192.0.2.1"
KNOWN = Authenticator(
    [
        HttpSource(
            "player",
            (
                BasicCredential("old", SecretStr("s3cr:et")),
                BasicCredential("new", SecretStr("schlüssel")),
            ),
        ),
        HttpSource("gateway", (BearerCredential(SecretStr("tok-123")),)),
    ],
    FailedAttempts(100_000, SystemClock()),
)


@pytest.mark.parametrize(
    ("header", "source"),
    [
        (basic("old:s3cr:et"), "player"),
        (basic("new:schlüssel"), "player"),
        (basic("new:schlüssel").replace("Basic", "bAsIc"), "player"),
        (basic("old:s3cr:et").replace("Basic ", "Basic   ") + " ", "player"),
        ("Bearer tok-123", "gateway"),
        ("bearer tok-123", "gateway"),
    ],
)
def test_a_known_credential_names_its_source(header: str, source: str) -> None:
    assert KNOWN.source(header, HERE) == source


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (None, "is missing"),
        ("", "is missing"),
        ("   ", "is missing"),
        ("Digest username=x", "must be Basic or Bearer"),
        ("tok-123", "must be Basic or Bearer"),
        ("Basic", "no colon"),
        ("Basic undefined", "not base64"),
        ("Basic old:s3cr:et", "not base64"),
        ("Basic \udce4", "not base64"),
        ("Basic Og==", "is empty"),
        (basic("justonething"), "no colon"),
        (basic(":s3cr:et"), "is empty"),
        (basic("old:wrong"), "not known"),
        (basic("old:s3cr:et "), "not known"),
        (basic("stranger:s3cr:et"), "not known"),
        (basic("tok-123:"), "not known"),
        ("Bearer", "is empty"),
        ("Bearer tok-12", "not known"),
        ("Bearer \udce4", "not known"),
        ("Bearer old:s3cr:et", "not known"),
    ],
)
def test_any_other_header_is_refused_with_what_is_wrong(header: str | None, says: str) -> None:
    with pytest.raises(Unauthorized, match=says) as caught:
        KNOWN.source(header, HERE)
    assert "s3cr" not in str(caught.value)
    assert "tok-" not in str(caught.value)


def test_without_sources_nobody_is_known() -> None:
    with pytest.raises(Unauthorized):
        Authenticator([], FailedAttempts(1, SystemClock())).source("Bearer tok-123", HERE)


def test_secrets_are_not_in_the_repr() -> None:
    shown = repr(
        HttpSource(
            "x",
            (BasicCredential("key", SecretStr("s3cret")), BearerCredential(SecretStr("tok-123"))),
        )
    )
    assert "key" in shown
    assert "s3cret" not in shown
    assert "tok-123" not in shown


class Changing(SecretStr):
    """A secret that changes, as one in a file does."""

    now = "first"

    def get_secret_value(self) -> str:
        return self.now


def test_a_header_that_was_good_is_refused_once_its_secret_has_changed() -> None:
    secret = Changing("")
    sources = [HttpSource("player", (BasicCredential("key", secret),))]
    authenticator = Authenticator(sources, FailedAttempts(100_000, SystemClock()))
    for _ in range(2):
        assert authenticator.source(basic("key:first"), HERE) == "player"
    secret.now = "second"
    with pytest.raises(Unauthorized):
        authenticator.source(basic("key:first"), HERE)
    assert authenticator.source(basic("key:second"), HERE) == "player"


def test_what_is_remembered_of_good_headers_is_of_one_address_and_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(authorization, "_MOST_REMEMBERED", 2)
    attempts = FailedAttempts(100_000, SystemClock())
    sources = [HttpSource("gateway", (BearerCredential(SecretStr("tok-123")),))]
    authenticator = Authenticator(sources, attempts)
    header = "Bearer tok-123"
    for address in ("a", "b", "a", "c"):
        assert authenticator.source(header, address) == "gateway"
    remembered = {address: authenticator.remembered(header, address) for address in "abcd"}
    assert remembered == {"a": "gateway", "b": None, "c": "gateway", "d": None}
    assert authenticator.source(header + " " * 10_000, "d") == "gateway"
    assert authenticator.remembered(header + " " * 10_000, "d") is None
