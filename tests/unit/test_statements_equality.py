"""What makes no difference between two statements: 1.0.3 Part 2 sections 2.3.1 and 4.6."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.statements.statement import comparable, digest
from tests.support.xapi_factory import statement, sub


def lasting(duration: Any) -> dict[str, Any]:
    return statement(id=None, result={"duration": duration, "response": "0.12345S"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PT1.23S", "PT1.239S"),
        ("PT1.23S", "PT1.23000S"),
        ("P1DT12H36M0.1237S", "P1DT12H36M0.12S"),
        ("PT1,2345S", "PT1,23S"),
    ],
)
def test_seconds_finer_than_a_hundredth_make_no_difference(one: str, other: str) -> None:
    assert digest(lasting(one)) == digest(lasting(other))
    inner = [statement(id=None, object=sub(result={"duration": text})) for text in (one, other)]
    assert digest(inner[0]) == digest(inner[1])


@pytest.mark.parametrize(
    ("one", "other"),
    [("PT1.23S", "PT1.24S"), ("PT1.2S", "PT1.3S"), ("PT1.239H", "PT1.23H"), ("PT1S", "PT2S")],
)
def test_all_else_of_a_duration_does(one: str, other: str) -> None:
    assert digest(lasting(one)) != digest(lasting(other))


def test_what_is_compared_leaves_the_statement_as_it_is() -> None:
    sent = lasting("PT1.23456S")
    assert comparable(sent)["result"] == {"duration": "PT1.23S", "response": "0.12345S"}
    assert sent["result"]["duration"] == "PT1.23456S"


@pytest.mark.parametrize("result", [None, [], "PT1.234S", {}, {"duration": 1.234}])
def test_what_is_no_duration_is_left_alone(result: Any) -> None:
    """A signature may hold anything."""
    sent: dict[str, Any]
    for sent in ({"result": result}, {"object": {"result": result}}, {"object": []}):
        assert comparable(sent) == sent
