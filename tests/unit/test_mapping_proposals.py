"""Rules proposed for activities that no rule takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.uri_template import Template
from pointsman.mapping.proposals import VARIABLE, propose


@pytest.mark.parametrize(
    ("activities", "templates"),
    [
        ([], []),
        (["https://c.example.com/a"], ["https://c.example.com/{topic}"]),
        (
            ["https://c.example.com/safety/1", "https://c.example.com/safety/2"],
            ["https://c.example.com/safety/{topic}"],
        ),
        (
            ["https://c.example.com/safety/1", "https://c.example.com/health/2"],
            ["https://c.example.com/{course}/{topic}"],
        ),
        (
            ["https://c.example.com/a?item=1", "https://c.example.com/a?item=2"],
            ["https://c.example.com/a?{topic}"],
        ),
        (
            ["https://c.example.com/a/b", "https://d.example.com/a/b", "https://c.example.com/a"],
            [
                "https://c.example.com/{topic}",
                "https://c.example.com/a/{topic}",
                "https://d.example.com/a/{topic}",
            ],
        ),
        (["https://c.example.com/a/"], ["https://c.example.com/{topic}/"]),
        (["urn:course:7", "urn:course:8"], ["urn:course:{topic}"]),
    ],
)
def test_a_rule_is_proposed_for_activities_of_one_shape(
    activities: list[str], templates: list[str]
) -> None:
    assert propose(activities) == templates


@given(
    st.lists(
        st.lists(st.text("ab1", min_size=1, max_size=2), min_size=1, max_size=7).map(
            lambda parts: "https://c.example.com/" + "/".join(parts)
        ),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_proposed_takes_every_one_of_them(activities: list[str]) -> None:
    templates = [Template(one) for one in propose(activities)]
    for activity in activities:
        found = [values for one in templates if (values := one.match(activity)) is not None]
        assert found
        assert all(VARIABLE in values for values in found)
