"""Lines for the person on call: which have a next step, and what they say of several troubles."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.delivery.turn_outcome import DeliveryOutcome
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import Target, TargetKind
from pointsman.platforms.base import RequestOutcome
from pointsman.store.records import Settlement
from pointsman.telemetry import next_steps
from pointsman.telemetry.operator_log import OperatorLog
from tests.support.manual_clock import ManualClock

TOPIC = Target(TargetKind.TOPIC_PROGRESS, "t")


def record(
    *settlements: Settlement, answer: RequestOutcome | None = RequestOutcome.ANSWERED
) -> DeliveryRecord:
    return DeliveryRecord(DeliveryOutcome("ana", list(settlements), answer=answer), ())


def lines(log: OperatorLog, *records: DeliveryRecord) -> list[Any]:
    with capture_logs() as captured:
        for one in records:
            log.delivery(one)
    return captured


def test_every_code_of_parked_state_has_a_next_step() -> None:
    assert set(next_steps.OF_PARK_CODE) == set(ParkCode)


def test_each_delivery_has_its_line_and_the_level_is_raised_once() -> None:
    parked = record(Settlement(TOPIC, 1, "parked", "token: none", ParkCode.NO_TOKEN))

    shown = lines(OperatorLog(ManualClock()), *[parked] * 50)

    assert [line["event"] for line in shown] == ["delivery"] * 50
    assert [line["log_level"] for line in shown] == ["warning"] + ["info"] * 49
    assert "next" in shown[0]
    assert "next" not in shown[1]


def test_a_trouble_that_lasts_is_reminded_of_with_a_count() -> None:
    clock = ManualClock()
    log = OperatorLog(clock)
    throttled = record(answer=RequestOutcome.THROTTLED)
    lines(log, *[throttled] * 7)
    clock.advance(61)

    (line,) = lines(log, throttled)

    assert (line["log_level"], line["times"]) == ("warning", 7)


def test_the_most_general_trouble_of_a_delivery_is_named() -> None:
    away = record(Settlement(TOPIC, 1, "retry", "no answer"), answer=RequestOutcome.UNREACHABLE)

    (line,) = lines(OperatorLog(ManualClock()), away)

    assert line["next"] == next_steps.OF_ANSWER[RequestOutcome.UNREACHABLE]


def test_an_answer_ends_a_trouble_and_the_next_one_is_new() -> None:
    log = OperatorLog(ManualClock())
    refused, good = record(answer=RequestOutcome.KEY_REFUSED), record()

    shown = lines(log, refused, refused, good, good, refused)

    levels = [line["log_level"] for line in shown]
    assert levels == ["error", "info", "info", "info", "info", "error"]
    (over,) = (line for line in shown if line["event"] != "delivery")
    assert (over["event"], over["was"]) == ("the platform takes requests again", "key_refused")


def test_what_is_no_loss_is_no_line() -> None:
    log = OperatorLog(ManualClock())

    with capture_logs() as shown:
        log.refused("players", "GET", "/xapi/activities/state", 404, "there is none")
        log.refused("players", "PUT", "/xapi/activities/state", 412, "it has changed")
        log.refused("players", "POST", "/xapi/statements", 500, "a bug, logged where it is caught")

    assert shown == []


def test_a_path_that_is_none_of_ours_is_told_once_and_not_shown() -> None:
    log = OperatorLog(ManualClock())

    with capture_logs() as shown:
        for _ in range(3):
            log.refused("", "POST", "unknown", 404, "Not Found")
        log.refused("", "PATCH", "/xapi/statements", 405, "Method Not Allowed")

    assert [(line["status"], line["route"]) for line in shown] == [
        (404, "unknown"),
        (405, "/xapi/statements"),
    ]
    assert "/xapi" in shown[0]["next"]


def test_another_reason_of_the_same_sender_has_a_line_of_its_own() -> None:
    log = OperatorLog(ManualClock())
    reasons = [
        "statement 1 (id 7d1c0d0e-0000-4000-8000-0000000000a1): verb.id is required",
        "statement 7 (id 8e1c0d0e-0000-4000-8000-0000000000a2): verb.id is required",
        "statement: object.definition.name has the key 'en_US', which must be a language tag",
        "statement: object.definition.name has the key 'x y', which must be a language tag",
    ]

    with capture_logs() as shown:
        for reason in reasons:
            log.refused("players", "POST", "/xapi/statements", 400, reason)

    assert [line["reason"] for line in shown] == [reasons[0], reasons[2]]


def test_a_sender_that_makes_up_reasons_does_not_fill_the_log() -> None:
    log = OperatorLog(ManualClock())

    with capture_logs() as shown:
        for letter in "abcdefghijklmnopqrstuvwxyz":
            log.refused("players", "POST", "/xapi/statements", 400, f"{letter}{letter} is unknown")

    # five reasons, and one line for all others
    assert len(shown) == 6


def test_an_unsigned_callback_is_told_of_secrets_and_not_of_launches() -> None:
    with capture_logs() as shown:
        OperatorLog(ManualClock()).refused("", "POST", "/webhooks/{source}", 401, "no signature")

    (line,) = shown
    assert line["next"] == next_steps.OF_CALLBACK
    assert line["source"] == "not known"
