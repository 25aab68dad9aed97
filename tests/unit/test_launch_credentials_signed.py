"""Launch credentials: good for one launch, one purpose and a time, and for nothing else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pointsman.sources.players import CredentialIssuer, CredentialRefused, LaunchCredential, Purpose
from pointsman.sources.players.credentials import as_authorization, credential_from_header
from tests.support.launch_factory import ACTIVITY, REGISTRATION, launch
from tests.support.manual_clock import ManualClock

KEY, NEXT_KEY = "k" * 32, "n" * 32


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000_000_000.0)


def test_a_credential_says_whose_launch_it_is(clock: ManualClock) -> None:
    credentials = CredentialIssuer([SecretStr(KEY)], clock)
    token = credentials.issue(launch(), Purpose.XAPI)
    assert credentials.check(token, Purpose.XAPI) == LaunchCredential(
        REGISTRATION, "ana@example.com", ACTIVITY
    )


@pytest.mark.parametrize("other", [Purpose.SCORM, Purpose.FETCH])
def test_a_credential_is_for_one_purpose(clock: ManualClock, other: Purpose) -> None:
    credentials = CredentialIssuer([SecretStr(KEY)], clock)
    with pytest.raises(CredentialRefused, match="another purpose"):
        credentials.check(credentials.issue(launch(), Purpose.XAPI), other)


def test_a_credential_ends_with_its_launch(clock: ManualClock) -> None:
    credentials = CredentialIssuer([SecretStr(KEY)], clock)
    token = credentials.issue(launch(), Purpose.XAPI)
    clock.advance(3_599)
    credentials.check(token, Purpose.XAPI)
    clock.advance(1)
    with pytest.raises(CredentialRefused, match="expired"):
        credentials.check(token, Purpose.XAPI)


def test_what_an_old_key_signed_stays_good_while_the_key_is_known(clock: ManualClock) -> None:
    token = CredentialIssuer([SecretStr(KEY)], clock).issue(launch(), Purpose.XAPI)
    CredentialIssuer([SecretStr(NEXT_KEY), SecretStr(KEY)], clock).check(token, Purpose.XAPI)
    with pytest.raises(CredentialRefused, match="no launch credential of ours"):
        CredentialIssuer([SecretStr(NEXT_KEY)], clock).check(token, Purpose.XAPI)


@given(st.text(max_size=60), st.integers(0, 200))
def test_nothing_else_is_a_pass(text: str, at: int) -> None:
    clock = ManualClock(1_000_000_000.0)
    credentials = CredentialIssuer([SecretStr(KEY)], clock)
    token = credentials.issue(launch(), Purpose.XAPI)
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    for one in (text, changed, token + text[:1] + "x", token.rpartition(".")[0] + "."):
        with pytest.raises(CredentialRefused):
            credentials.check(one, Purpose.XAPI)


def test_a_credential_is_found_in_what_players_send() -> None:
    assert credential_from_header(as_authorization("a.b.c")) == "a.b.c"
    assert credential_from_header("Bearer a.b.c") == "a.b.c"
    assert credential_from_header("bearer  a.b.c ") == "a.b.c"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic %%%",
        "Basic " + base64.b64encode(b"player:a.b.c").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:a").decode(),
        "Bearer abc",
        "Digest a.b.c",
    ],
)
def test_what_is_no_pass_is_left_to_the_sources(header: str | None) -> None:
    assert credential_from_header(header) is None
