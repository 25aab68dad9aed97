"""How many of a thing there are, in words."""

from __future__ import annotations

import pytest

from pointsman.domain.quantities import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 points"), (1, "1 point"), (2, "2 points"), (2_000, "2,000 points")]
)
def test_one_is_in_the_singular(number: int, words: str) -> None:
    assert counted(number, "point") == words


def test_a_plural_of_its_own_is_given() -> None:
    assert (counted(1, "launch", "launches"), counted(3, "launch", "launches")) == (
        "1 launch",
        "3 launches",
    )
