"""The version header: what is spoken, and what an answer names."""

from __future__ import annotations

import pytest

from pointsman.domain.errors import VersionRefused
from pointsman.sources.http.lrs.endpoint import SUPPORTED, negotiate, version_of_answer


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ("1.0", "1.0.3"),
        ("1.0.0", "1.0.3"),
        ("1.0.3", "1.0.3"),
        ("1.0.27", "1.0.3"),
        ("2.0.0", "2.0.0"),
        ("2.0.1", "2.0.0"),
    ],
)
def test_a_spoken_version_is_answered_in_its_newest_patch(header: str, answer: str) -> None:
    assert negotiate(header) == answer
    assert version_of_answer(header) == answer


@pytest.mark.parametrize(
    "header", [None, "", "1", "1.0.", "1.0.x", "1.1.0", "0.95", "2.1.0", "1.0.3\n", "1.0.٣", "1_0"]
)
def test_any_other_version_is_refused_and_answered_with_the_newest(header: str | None) -> None:
    with pytest.raises(VersionRefused, match="X-Experience-API-Version"):
        negotiate(header)
    assert version_of_answer(header) == "2.0.0"


def test_a_bare_probe_without_a_version_is_answered_with_the_one_that_all_know() -> None:
    assert version_of_answer(None, probing=True) == "1.0.3"
    for header in ("", "0.95", "2.0.0"):
        assert version_of_answer(header, probing=True) == "2.0.0"


def test_every_listed_version_is_spoken() -> None:
    assert {negotiate(version) for version in SUPPORTED} == {"1.0.3", "2.0.0"}
