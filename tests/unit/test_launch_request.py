"""The body of POST /launches: who the learner is."""

from __future__ import annotations

import json

import pytest

from pointsman.domain.errors import InputRefused
from pointsman.mapping import ConfiguredIdentity
from pointsman.sources.players.launch_actor import ActorRules
from pointsman.sources.players.launch_request import launch_from_request, parse_launch_request


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


def due_of(written: object) -> int:
    asked = {"learner": "ana", "activity": "https://content.example.com/intro", "due": written}
    actors = ActorRules("https://learn.example.com", ConfiguredIdentity().resolve)
    return launch_from_request(
        parse_launch_request(json.dumps(asked).encode()),
        now=0,
        lifetime=60,
        longest=60,
        actors=actors,
    ).due


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("2026-12-24T18:00:00Z", 1_798_135_200_000_000),
        ("2026-12-24T19:00:00.5+01:00", 1_798_135_200_500_000),
        (None, 0),
    ],
)
def test_when_work_is_due_is_a_time_with_its_zone(written: str | None, due: int) -> None:
    assert due_of(written) == due


@pytest.mark.parametrize(
    "written", ["2026-12-24T18:00:00", "2026-12-24", "soon", "", 1_798_135_200, True, [], {}]
)
def test_a_due_time_that_is_none_or_has_no_zone_is_refused_by_the_fields_name(
    written: object,
) -> None:
    with pytest.raises(InputRefused, match=r"^due: .* no time with a time zone"):
        due_of(written)
