"""What a commit says, in the words of SCORM 1.2 and of SCORM 2004."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pointsman.domain.records import Reading
from pointsman.statements.scorm import CommitScore, parse_commit
from pointsman.statements.scorm.durations import duration_seconds, iso_duration


def lesson(**core: Any) -> bytes:
    """A commit of SCORM 1.2."""
    return json.dumps({"cmi": {"core": core}}).encode()


def activity(**cmi: Any) -> bytes:
    """A commit of SCORM 2004."""
    return json.dumps({"cmi": cmi}).encode()


@pytest.mark.parametrize(
    ("status", "completion", "success"),
    [
        ("passed", True, True),
        ("completed", True, None),
        ("failed", False, False),
        ("incomplete", False, None),
        ("browsed", None, None),
        ("not attempted", None, None),
        ("", None, None),
        ("Passed", True, True),
        (" COMPLETED\n", True, None),
        ("Not Attempted", None, None),
    ],
)
def test_a_lesson_status_says_both(
    status: str, completion: bool | None, success: bool | None
) -> None:
    found = parse_commit(lesson(lesson_status=status))
    assert (found.version, found.completion, found.success) == ("1.2", completion, success)
    assert found.progress is None


@pytest.mark.parametrize(
    ("cmi", "completion", "success", "progress"),
    [
        ({"completion_status": "completed", "success_status": "unknown"}, True, None, None),
        ({"completion_status": "incomplete", "success_status": "passed"}, False, True, None),
        ({"completion_status": "completed", "success_status": "failed"}, True, False, None),
        ({"completion_status": "unknown", "progress_measure": "0.29"}, None, None, 29),
        ({"completion_status": "not attempted", "progress_measure": ""}, None, None, None),
        ({"progress_measure": "1"}, None, None, 100),
        ({"progress_measure": 0.5}, None, None, 50),
        ({"progress_measure": "0.3333333333333333"}, None, None, 33.333333),
        ({"progress_measure": ".25"}, None, None, 25),
        ({"progress_measure": "0"}, None, None, 0),
        ({"progress_measure": "1e-7"}, None, None, 0.00001),
        ({"progress_measure": "0.9999999999999999"}, None, None, 100),
        ({"progress_measure": "1.0000000000000002"}, None, None, 100),
        ({"completion_status": "Completed", "success_status": " PASSED"}, True, True, None),
        ({}, None, None, None),
    ],
)
def test_an_activity_says_each_for_itself(
    cmi: dict[str, Any], completion: bool | None, success: bool | None, progress: float | None
) -> None:
    found = parse_commit(activity(**cmi))
    assert (found.version, found.completion, found.success, found.progress) == (
        "2004",
        completion,
        success,
        progress,
    )


@pytest.mark.parametrize(
    ("status", "measure", "threshold", "completion"),
    [
        ("incomplete", "0.9", "0.8", True),
        ("unknown", "0.8", "0.8", True),
        ("unknown", "0.7999999999999999", "0.8", True),
        ("", "1", "1.0", True),
        ("completed", "0.79", "0.8", False),
        # nothing to judge by
        ("completed", "", "0.8", True),
        ("completed", "0.5", "", True),
        ("completed", "0.5", "80", True),
        ("incomplete", "0.9", "-1", False),
    ],
)
def test_a_completion_threshold_decides_once_there_is_a_measure(
    status: str, measure: str, threshold: str, completion: bool
) -> None:
    cmi = {"completion_status": status, "progress_measure": measure}
    found = parse_commit(activity(**cmi, completion_threshold=threshold))
    assert found.completion is completion


@pytest.mark.parametrize("mode", ["browse", "review", "Review"])
def test_a_page_that_previews_or_reviews_records_nothing(mode: str) -> None:
    score = {"raw": "90", "scaled": "0.9"}
    commits = [
        lesson(lesson_status="completed", score=score, lesson_mode=mode),
        activity(
            completion_status="completed",
            success_status="passed",
            progress_measure="1",
            score=score,
            mode=mode,
        ),
    ]
    for found in map(parse_commit, commits):
        assert (found.completion, found.success, found.progress, found.score) == (None,) * 4
        assert mode.lower() in found.left_out[0].rule
    assert parse_commit(lesson(lesson_mode=mode)).left_out == ()
    assert parse_commit(lesson(lesson_status="completed", lesson_mode="normal")).completion


def test_common_fields_speak_where_the_run_time_data_is_silent() -> None:
    body = {
        "completionStatus": "completed",
        "successStatus": "passed",
        "totalTimeSeconds": 754.5,
        "score": {"raw": 95, "min": 0, "max": 100, "scaled": 0.95},
    }
    found = parse_commit(json.dumps(body).encode())
    assert (found.completion, found.success, found.total_time) == (True, True, 754.5)
    assert found.score == CommitScore(0.95, 95, 0, 100)
    silent = body | {"runtimeData": {"cmi": {"completion_status": "incomplete"}}}
    assert parse_commit(json.dumps(silent).encode()).completion is False


@pytest.mark.parametrize("body", [lesson(), activity()])
def test_a_total_of_nothing_is_no_time(body: bytes) -> None:
    found = parse_commit(json.dumps(json.loads(body) | {"totalTimeSeconds": 0}).encode())
    assert (found.session_time, found.total_time) == (None, None)


@pytest.mark.parametrize(
    ("body", "score"),
    [
        (lesson(score={"raw": "", "min": "", "max": "100"}), None),
        (lesson(score={"raw": "40", "min": "", "max": "100"}), CommitScore(0.4, 40, None, 100)),
        (lesson(score={"raw": "15", "min": "10", "max": "20"}), CommitScore(0.5, 15, 10, 20)),
        (lesson(score={"raw": "120"}), CommitScore(None, 120)),
        (lesson(score={"raw": "5", "min": "9", "max": "9"}), CommitScore(None, 5, 9, 9)),
        (lesson(score="80"), None),
        (activity(score={"scaled": "-0.25", "raw": ""}), CommitScore(-0.25)),
        (
            activity(score={"scaled": "", "raw": "8", "min": "0", "max": "10"}),
            CommitScore(0.8, 8, 0, 10),
        ),
        (activity(score={"raw": "8"}), CommitScore(None, 8)),
        (activity(score={"scaled": "7", "raw": "none"}), None),
        (
            lesson(score={"raw": "83.33333333333334"}),
            CommitScore(0.833333333333, 83.33333333333334),
        ),
        (lesson(score={"raw": ".5", "max": "1."}), CommitScore(0.5, 0.5, None, 1)),
        (lesson(score={"raw": " 80 "}), CommitScore(0.8, 80)),
        (activity(score={"scaled": 0.8333333333333334}), CommitScore(0.8333333333333334)),
        (activity(score={"scaled": "0.123456789012345678"}), CommitScore(0.12345678901234568)),
        (lesson(score={"raw": "1e2"}), None),
        (lesson(score={"raw": "80,5"}), None),
        (lesson(score={"raw": "."}), None),
    ],
)
def test_a_score_is_what_can_be_read_of_it(body: bytes, score: CommitScore | None) -> None:
    assert parse_commit(body).score == score


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("00:12:34.5", 754.5),
        ("0000:00:01", 1),
        ("9999:59:59.99", 35_999_999 + 0.99),
        ("PT12M34.5S", 754.5),
        ("P1DT1H", 90_000),
        ("P1Y", 31_536_000),
        # what players write that the standard has otherwise
        ("00:05:03.456", 303.456),
        ("0:5:3", 303),
        ("PT1H30M5.333S", 5_405.333),
        ("PT0.5H", 1_800),
        ("00:00:00", None),
        ("PT0S", None),
        ("P", None),
        ("12:34", None),
        ("soon", None),
        ("", None),
    ],
)
def test_times_of_either_version_are_seconds(text: str, length: float | None) -> None:
    assert duration_seconds(text) == (None if length is None else pytest.approx(length))


@pytest.mark.parametrize(
    ("length", "text"),
    [(754.5, "PT754.5S"), (60.0, "PT60S"), (0.014, "PT0.01S"), (1e9, "PT1000000000S")],
)
def test_a_duration_is_what_xapi_takes(length: float, text: str) -> None:
    assert iso_duration(length) == text


@pytest.mark.parametrize(
    ("more", "final"),
    [({}, False), ({"isFinal": True}, True), ({"final": "true"}, True), ({"isFinal": 1}, True)],
)
def test_the_last_commit_says_so(more: dict[str, Any], final: bool) -> None:
    body = json.dumps({"cmi": {}, **more}).encode()
    assert parse_commit(body).final is final
    assert parse_commit(body, final=True).final


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (lesson(lesson_status="done"), "cmi.core.lesson_status is 'done', which is none of passed"),
        (activity(completion_status="yes"), "cmi.completion_status is 'yes'"),
        (activity(success_status="ü\n"), "cmi.success_status is '\\xfc\\n'"),
        (activity(progress_measure="1.5"), "cmi.progress_measure must be a number from 0 to 1"),
        (activity(progress_measure="nan"), "cmi.progress_measure must be"),
        (b'{"completionStatus": "maybe"}', "completionStatus is 'maybe'"),
        (b'{"cmi": {}, "commitSequence": "2"}', "commitSequence must be a whole number"),
        (b'{"cmi": {}, "commitSequence": -1}', "commitSequence must be a whole number"),
        (b'{"cmi": {}, "commitSequence": true}', "commitSequence must be a whole number"),
    ],
)
def test_what_scorm_has_no_word_for_is_left_out_with_its_name(body: bytes, words: str) -> None:
    (left_out,) = parse_commit(body).left_out
    assert words in left_out.reason


@pytest.mark.parametrize(
    ("body", "reading"),
    [
        (activity(completion_status="completed", progress_measure="1.000349"), Reading.PROGRESS),
        (activity(completion_status="completed", progress_measure="100%"), Reading.PROGRESS),
        (activity(completion_status="completed", success_status="win"), Reading.SUCCESS),
        (activity(completion_status="completed", session_time="an hour"), Reading.DURATION),
        (activity(completion_status="completed", score={"scaled": "1.5"}), Reading.SCORE),
        (activity(completion_status="completed", score={"raw": "A"}), Reading.SCORE),
        (lesson(lesson_status="completed", score={"raw": "120"}), Reading.SCORE),
        (lesson(lesson_status="completed", session_time="1:2"), Reading.DURATION),
    ],
)
def test_one_bad_reading_never_costs_the_completion(body: bytes, reading: Reading) -> None:
    commit = parse_commit(body)
    assert commit.completion is True
    assert [left_out.reading for left_out in commit.left_out] == [reading]


@pytest.mark.parametrize("zero", ["0000:00:00.00", "PT0S"])
def test_no_time_at_all_is_a_time(zero: str) -> None:
    commit = parse_commit(activity(session_time=zero))
    assert (commit.session_time, commit.left_out) == (None, ())
