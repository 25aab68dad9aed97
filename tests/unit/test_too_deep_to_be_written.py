"""What is nested deeper than JSON is written here is refused: it is no fault of ours."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from pointsman.domain.errors import InputRefused
from pointsman.sources.batch import BatchReader, LogMessage
from pointsman.statements import StatementsRefused, Tolerance
from tests.support.xapi_factory import statement

_LEVELS = 300
_DEEP = orjson.dumps(statement())[:-1] + b',"x":' + b"[" * _LEVELS + b"]" * _LEVELS + b"}"
#: a fault that is left out where nobody can correct the sender
_TIDIED = orjson.dumps({**statement(), "result": {"score": {"scaled": None}}})
_PLAIN = orjson.dumps(statement())


def array(*statements: bytes) -> bytes:
    return b"[" + b",".join(statements) + b"]"


@pytest.mark.parametrize("tolerance", [Tolerance.TIDIES, Tolerance.TIDIES_DATED])
def test_beside_a_statement_that_is_tidied_it_refuses_the_request(tolerance: Tolerance) -> None:
    with pytest.raises((InputRefused, StatementsRefused)):
        BatchReader().request("lessons", array(_TIDIED, _DEEP), tolerance=tolerance)


@pytest.mark.parametrize(
    ("body", "most"),
    [
        (array(_TIDIED, _DEEP), None),
        (b'{"payload":' + _DEEP + b"}", None),
        (b'{"schema":null,"payload":' + array(_PLAIN, _DEEP) + b"}", None),
        (array(_DEEP, _PLAIN, _PLAIN), 1),
        (array(_PLAIN, _PLAIN, _DEEP), 1),
    ],
)
def test_a_message_is_refused_for_it(body: bytes, most: int | None) -> None:
    """Not tried three times, and told as a fault of this program."""
    message: Any = LogMessage("lessons", body, "topic t", None, max_statements=most)
    with pytest.raises(InputRefused, match="nested too deep"):
        BatchReader().message(message)
