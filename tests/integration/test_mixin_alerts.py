"""Each alert, fed with the daemon's own metrics: when it fires, and when it is quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from pointsman.delivery.audit import AuditRecord
from pointsman.delivery.budget.base import QuotaLeft
from pointsman.delivery.delivery_record import DeliveryLatency, DeliveryRecord
from pointsman.delivery.turn_outcome import DeliveryOutcome
from pointsman.domain.records import Decision, InputOutcome, Item, Receipt, Submission
from pointsman.domain.targets import ReadBackPlace, TargetKind
from pointsman.platforms.base import RequestOutcome, Verdict
from pointsman.sources.kafka.hooks import ResetReason
from pointsman.store.base import Audited
from pointsman.store.confirmation_records import FeedPlace
from pointsman.telemetry.initial_series import IntakeRoute, KnownLabels
from tests.support.promtool import MIXIN, RULES, Case, Replica, Story, evaluate, firing, run, tell

KNOWN = KnownLabels(
    attempts=("refused", "slowed"),
    sources=frozenset({"players", "log", "lms"}),
    kafka=frozenset({"log"}),
    routes=(
        IntakeRoute("POST", "/xapi/statements", ("", "players")),
        IntakeRoute("POST", "/webhooks/{source}", ("", "lms")),
    ),
    oddities=("no_session_id",),
    kafka_topics=frozenset({("log", "lessons")}),
    kafka_resets=tuple(ResetReason),
    confirming=("academy",),
)
#: the minute of the first bad event; the daemon is fresh, and scraped before
BAD = 5
_TOPIC = TargetKind.TOPIC_PROGRESS


def received(replica: Replica, outcome: InputOutcome) -> None:
    item = Item("6f9c", 1, None, Decision(outcome))
    replica.metrics.inputs([Submission("players", b"{}", 0, (item,))], [Receipt({outcome: 1})])


def delivered(
    replica: Replica, answer: RequestOutcome, *completions: float, turns: int = 1
) -> None:
    """Turns with this answer, and completions that took so many seconds."""
    latencies = tuple(DeliveryLatency(_TOPIC, one, one, "6f9c") for one in completions)
    verdicts = Counter({(_TOPIC, Verdict.DONE): 1})
    outcome = DeliveryOutcome("ana", answer=answer, requests=1, points=2, verdicts=verdicts)
    for _ in range(turns):
        replica.metrics.delivery(DeliveryRecord(outcome, latencies))


def well(replica: Replica, _minute: int) -> None:
    """A minute of a daemon that does what it is for."""
    received(replica, InputOutcome.APPLIED)
    received(replica, InputOutcome.NO_EFFECT)
    delivered(replica, RequestOutcome.ANSWERED, 0.4, 2.0)
    replica.metrics.http("players", "POST", "/xapi/statements", 200, 0.02)
    replica.metrics.http("", "GET", "/metrics", 200, 0.02)
    replica.metrics.commit(0.004, 1)
    replica.metrics.kafka_lag("log", "lessons", 0, 12)
    replica.metrics.kafka_paused("log", paused=False)
    replica.metrics.audit(AuditRecord(ReadBackPlace.course("demo"), Audited.AGREES))


def once(replica: Replica, minute: int, bad: Story) -> None:
    if minute == BAD:
        bad(replica, minute)


def from_then_on(replica: Replica, minute: int, bad: Story) -> None:
    if minute >= BAD:
        bad(replica, minute)


def drifted(replica: Replica, _minute: int) -> None:
    replica.metrics.audit(AuditRecord(ReadBackPlace.course("demo"), Audited.RESENT))
    replica.metrics.audit(AuditRecord(ReadBackPlace.course("demo"), Audited.DRIFT))


def answered(answer: RequestOutcome) -> Story:
    return lambda replica, _: delivered(replica, answer)


def became(outcome: InputOutcome) -> Story:
    return lambda replica, _: received(replica, outcome)


def unconfirmed(replica: Replica, _minute: int) -> None:
    latencies = (DeliveryLatency(TargetKind.COURSE_STATUS, 1.0, 1.0, "6f9c"),)
    outcome = DeliveryOutcome("ana", answer=RequestOutcome.ANSWERED, requests=1, points=2)
    replica.metrics.delivery(DeliveryRecord(outcome, latencies))


def requested(source: str, route: str, status: int) -> Story:
    return lambda replica, _: replica.metrics.http(source, "POST", route, status, 0.01)


def not_scraped(replica: Replica, _minute: int) -> None:
    replica.up = False


def without_store(replica: Replica, _minute: int) -> None:
    replica.backlog = None


def slow(replica: Replica, _minute: int) -> None:
    replica.metrics.commit(2.0, 1)


def guessed(replica: Replica, _minute: int) -> None:
    for _ in range(200):
        replica.metrics.failed_attempt("refused")


#: alert: how often it happens, what happens, and the minutes until it fires
FIRST_BAD: dict[str, tuple[Any, Story, int]] = {
    "PointsmanKeyRefused": (once, answered(RequestOutcome.KEY_REFUSED), 1),
    "PointsmanPlatformUnreachable": (from_then_on, answered(RequestOutcome.UNREACHABLE), 6),
    "PointsmanThrottled": (once, answered(RequestOutcome.THROTTLED), 1),
    "PointsmanBehind": (
        from_then_on,
        lambda replica, _: replica.stored(oldest_dirty=replica.now - 901_000_000),
        6,
    ),
    "PointsmanQuotaTaken": (
        from_then_on,
        lambda replica, _: setattr(replica, "left", QuotaLeft(100, 90)),
        14,
    ),
    "PointsmanDrift": (once, drifted, 1),
    "PointsmanUnconfirmed": (from_then_on, unconfirmed, 16),
    "PointsmanFeedBehind": (
        from_then_on,
        lambda one, _: one.metrics.feed_read("academy", 1, FeedPlace(read_until=1)),
        16,
    ),
    "PointsmanParked": (from_then_on, lambda replica, _: replica.stored(parked={_TOPIC: 1}), 31),
    "PointsmanDeadLetters": (once, became(InputOutcome.DEAD), 1),
    "PointsmanUnmatched": (once, became(InputOutcome.UNMATCHED), 1),
    "PointsmanStatementsRefused": (once, lambda one, _: one.metrics.refused("players", 1), 1),
    "PointsmanCallbackUnauthorized": (once, requested("", "/webhooks/{source}", 401), 1),
    "PointsmanCredentialsGuessed": (
        once,
        guessed,
        1,
    ),
    "PointsmanDown": (from_then_on, not_scraped, 12),
    "PointsmanRefusesRequests": (from_then_on, requested("players", "/xapi/statements", 503), 6),
    "PointsmanStoreAway": (from_then_on, without_store, 3),
    "PointsmanStoreFilling": (from_then_on, lambda one, _: one.stored(free_part=0.09), 6),
    "PointsmanStoreSlow": (from_then_on, slow, 11),
    "PointsmanConfigRejected": (
        from_then_on,
        lambda replica, _: replica.metrics.config("hash", 0.0, is_newest=False),
        3,
    ),
    "PointsmanKafkaLag": (
        from_then_on,
        lambda replica, _: replica.metrics.kafka_lag("log", "lessons", 0, 10_001),
        16,
    ),
    "PointsmanKafkaSourceDown": (
        from_then_on,
        lambda replica, _: replica.metrics.kafka_problems("log", {"topic lessons": "missing"}),
        6,
    ),
    "PointsmanKafkaReset": (
        once,
        lambda replica, _: replica.metrics.kafka_reset("log", "lessons", ResetReason.ANOTHER_LOG),
        1,
    ),
    "PointsmanKafkaPaused": (
        from_then_on,
        lambda replica, _: replica.metrics.kafka_paused("log", paused=True),
        11,
    ),
    **{
        f"PointsmanCompletionsLate/{window}": (
            once,
            lambda replica, _: delivered(replica, RequestOutcome.ANSWERED, 61.0),
            minutes,
        )
        for window, minutes in (("1h", 3), ("6h", 16), ("1d", 62), ("3d", 182))
    },
}


def first_bad_event(alert: str) -> Case:
    how, bad, after = FIRST_BAD[alert]
    series = tell(lambda replica, minute: how(replica, minute, bad), BAD + after + 1, KNOWN)
    return Case(series, [firing(BAD - 1), firing(BAD + after, alert)])


def test_an_alert_fires_from_the_first_bad_event_of_a_fresh_daemon_and_alone(
    tmp_path: Path,
) -> None:
    assert not evaluate(tmp_path, *map(first_bad_event, FIRST_BAD))


def test_an_alert_that_does_not_fire_is_reported(tmp_path: Path) -> None:
    quiet = Case(tell(well, 5, KNOWN), [firing(4, "PointsmanDown")])

    assert "PointsmanDown" in evaluate(tmp_path, quiet)


def test_every_alert_has_such_a_story() -> None:
    fired = {name.partition("/")[0] for name in FIRST_BAD}
    windows = [name for name in FIRST_BAD if "/" in name]
    rules = [rule for name in RULES for rule in rules_of(name) if "alert" in rule]

    assert fired == {rule["alert"] for rule in rules}
    assert len(windows) == sum("window" in rule["labels"] for rule in rules)


def busy_with_a_late_one_in_2000(replica: Replica, minute: int) -> None:
    delivered(replica, RequestOutcome.ANSWERED, *[1.0] * 199)
    delivered(replica, RequestOutcome.ANSWERED, 61.0 if minute % 10 == 0 else 1.0)


def spends_the_quota_itself(replica: Replica, _minute: int) -> None:
    delivered(replica, RequestOutcome.ANSWERED, 1.0, turns=480)  # 2 points each
    replica.left = QuotaLeft(40, 10)


def test_nothing_fires_without_a_reason(tmp_path: Path) -> None:
    minutes = [firing(minute) for minute in range(1, 200, 9)]
    # its five minutes are 1,000 completions, so the fastest burn is 1, and 14.4 would page
    late = [firing(minute) for minute in range(60, 300, 17)]

    assert not evaluate(
        tmp_path,
        Case(tell(well, 200, KNOWN), minutes),
        Case(tell(well, 40, KNOWN, replicas=3), minutes[:5]),
        Case(tell(busy_with_a_late_one_in_2000, 300, KNOWN), late),
        Case(
            tell(spends_the_quota_itself, 40, KNOWN),
            [firing(minute) for minute in range(1, 40, 4)],
        ),
    )


def test_one_completion_in_fifty_that_is_late_pages(tmp_path: Path) -> None:
    def slow_half(replica: Replica, _minute: int) -> None:
        delivered(replica, RequestOutcome.ANSWERED, *[1.0] * 49, 61.0)

    pages = firing(25, "PointsmanCompletionsLate/1h", "PointsmanCompletionsLate/6h")

    assert not evaluate(tmp_path, Case(tell(slow_half, 30, KNOWN), [pages]))


def test_a_metric_that_is_nowhere_means_that_pointsman_is_down(tmp_path: Path) -> None:
    nothing: Sequence[dict[str, str]] = [{"series": "up{job='other'}", "values": "1x10"}]

    assert not evaluate(tmp_path, Case(nothing, [firing(7, "PointsmanDown")]))


def test_prometheus_finds_no_fault_in_the_rules() -> None:
    done = run("check", "rules", "--lint=all", "--lint-fatal", *(str(MIXIN / one) for one in RULES))

    assert done.returncode == 0, done.stdout + done.stderr


def rules_of(name: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((MIXIN / name).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]
