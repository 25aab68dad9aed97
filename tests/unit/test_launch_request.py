"""The body of POST /launches: who the learner is."""

from __future__ import annotations

import json

import pytest

from pointsman.domain.errors import InputRefused
from pointsman.sources.players.launch_request import parse_launch_request


def learner_of(learner: str) -> str:
    asked = {"learner": learner, "activity": "https://content.example.com/intro"}
    return parse_launch_request(json.dumps(asked).encode()).learner


@pytest.mark.parametrize(
    ("written", "learner"),
    [
        ("ana@example.com", "ana@example.com"),
        (" ana@example.com\n", "ana@example.com"),
        ("mailto:ana@example.com", "ana@example.com"),
        ("MAILTO:ana%2Bx@example.com", "ana+x@example.com"),
        # no IRI, so nothing of it is an escape
        ("ana%2Bx@example.com", "ana%2Bx@example.com"),
        ("17", "17"),
        ("https://sso.example.com|ana", "https://sso.example.com|ana"),
    ],
)
def test_the_learner_is_an_address_also_where_it_is_written_as_an_iri(
    written: str, learner: str
) -> None:
    assert learner_of(written) == learner


@pytest.mark.parametrize(
    "written",
    ["mailto:ana@example.com?subject=x", "mailto:ana@example.com,ben@example.com", "mailto:", " "],
)
def test_what_is_no_learner_is_refused_by_the_fields_name(written: str) -> None:
    with pytest.raises(InputRefused, match=r"^learner: "):
        learner_of(written)
