"""A fault of ours is told with its traceback once, and in one line each further time."""

from __future__ import annotations

import pytest

from pointsman.fault_log import FaultLog, cause


def fail(words: str) -> ValueError:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int(words)
    return caught.value


def test_the_same_line_with_other_words_is_the_same_fault(
    capsys: pytest.CaptureFixture[str],
) -> None:
    faults = FaultLog()
    for number in range(5):
        faults.tell("it broke", fail(f"year {number}"), learner="ana")
    output = capsys.readouterr().out
    assert output.count("Traceback") == 1
    assert output.count("it broke") == 5
    assert "invalid literal for int() with base 10: 'year 4'" in output


def test_another_line_or_type_is_another_fault(capsys: pytest.CaptureFixture[str]) -> None:
    faults = FaultLog()
    faults.tell("it broke", fail("x"))
    faults.tell("it broke", KeyError("never raised"))
    faults.tell("it broke", TypeError("never raised"))
    assert capsys.readouterr().out.count("times=1") == 3


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("a\n  b"), "ValueError: a b"),
        (TimeoutError(), "TimeoutError"),
        (KeyError("k" * 999), "KeyError: '" + "k" * 299),
    ],
)
def test_a_cause_is_one_line(error: Exception, words: str) -> None:
    assert cause(error) == words
