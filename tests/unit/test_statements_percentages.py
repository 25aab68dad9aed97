"""Only what is complete is 100: a share that is a little less never becomes it."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.records import Reading
from pointsman.mapping.result import progress
from pointsman.statements import Limits, NoEffect, observe, parse
from pointsman.statements.adapters.json_values import number_within
from pointsman.statements.adapters.report import ActivityReport, report_statement
from pointsman.statements.extension_numbers import ReadingRefused, number, percentage
from pointsman.statements.parse import Valid
from pointsman.statements.profiles.video import PROGRESS
from pointsman.statements.scorm.commit import parse_commit
from tests.support.statement_ids import IDS
from tests.support.xapi_factory import new_id, statement

CMI5_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
PROGRESSED = "http://adlnet.gov/expapi/verbs/progressed"


def whole_percentage(extension: str, value: float) -> int | None:
    sent = statement(verb={"id": PROGRESSED}, result={"extensions": {extension: value}})
    (item,) = parse(json.dumps(sent).encode(), Limits(), new_id=new_id).items
    assert isinstance(item, Valid)
    observation = observe(item, 0)
    assert not isinstance(observation, NoEffect)
    return progress(observation, score_is_progress=False)


@given(st.floats(0, 1, exclude_max=True))
def test_a_share_below_one_is_below_100(share: float) -> None:
    assert percentage(share) < 100
    assert abs(percentage(share) - share * 100) < 2e-6


@pytest.mark.parametrize(
    ("extension", "value", "expected"),
    [
        (CMI5_PROGRESS, 99.9999999, 99),
        # a sum of fractions: nothing that was left out is as little as that
        (CMI5_PROGRESS, math.nextafter(100, 0), 100),
        (CMI5_PROGRESS, math.nextafter(100, 101), 100),
        (PROGRESS, sum([0.1] * 10), 100),
        (CMI5_PROGRESS, 28.999999999999996, 29),
        (CMI5_PROGRESS, 100, 100),
        (PROGRESS, 0.999999999, 99),
        (PROGRESS, 0.29, 29),
        (PROGRESS, 1, 100),
    ],
)
def test_an_extension_is_cut_to_a_whole_percentage(
    extension: str, value: float, expected: int
) -> None:
    assert whole_percentage(extension, value) == expected


@pytest.mark.parametrize(
    "text", ["5_0", "\u0665\u0660", "0x32", "50%", "50,5", "1 0", "nan", "-inf", "."]
)
def test_text_that_only_python_reads_as_a_number_is_none(text: str) -> None:
    with pytest.raises(ReadingRefused, match="must be a number"):
        number(Reading.PROGRESS, "there", text, 100)


@pytest.mark.parametrize(("text", "expected"), [(" 50 ", 50), ("1e2", 100), (".5", 0.5), ("7.", 7)])
def test_a_number_may_be_written_as_text(text: str, expected: float) -> None:
    assert number(Reading.PROGRESS, "there", text, 100) == expected


@pytest.mark.parametrize(("value", "most"), [(sum([0.1] * 10), 1), (100.00000000000001, 100)])
def test_a_sum_of_fractions_that_other_systems_report_is_all_of_it(value: float, most: int) -> None:
    assert number_within(value, 0, most) == most


def test_what_other_systems_report_is_cut_too() -> None:
    commit = parse_commit(b'{"cmi": {"progress_measure": "0.999999999"}}')
    assert commit.progress is not None
    assert commit.progress < 100
    report = ActivityReport("ana", "http://e.com", "http://e.com/a", progress=99.99999999)
    assert report_statement(report, IDS)["result"]["extensions"][CMI5_PROGRESS] < 100
