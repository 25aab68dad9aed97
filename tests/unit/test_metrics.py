"""The metrics page: what is on it from the start, and how it counts."""

from __future__ import annotations

from itertools import product

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as parse_text

from pointsman import __version__
from pointsman.delivery.audit import AuditRecord
from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits
from pointsman.delivery.delivery_record import DeliveryLatency, DeliveryRecord
from pointsman.delivery.turn_outcome import DeliveryOutcome
from pointsman.domain.records import DeadLetter, Decision, InputOutcome, Item, Receipt, Submission
from pointsman.domain.targets import ReadBackPlace, TargetKind
from pointsman.platforms.base import RequestOutcome, Verdict
from pointsman.sources.kafka.hooks import ResetReason
from pointsman.store.base import Audited, Backlog
from pointsman.telemetry.initial_series import IntakeRoute, KnownLabels
from pointsman.telemetry.metrics import Metrics

KNOWN = KnownLabels(
    frozenset({"players", "log"}),
    frozenset({"log"}),
    (IntakeRoute("POST", "/xapi/statements", ("", "players")),),
    ("no_session_id",),
    frozenset({("log", "lessons")}),
    ("another_log", "out_of_range"),
    ("http",),
    ("slow_head",),
)
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
_LEFT = QuotaLeft(90, 9)
_ID = "12345678-1234-5678-1234-567812345678"
_EMPTY = Backlog({}, {}, 0, 0, None)


def page(metrics: Metrics, backlog: Backlog | None = _EMPTY, left: QuotaLeft = _LEFT) -> str:
    text, _ = metrics.show(backlog, left, 10_000_000, out=False)
    return text.decode()


def values(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse_text(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float | None:
    return values(text).get((name, frozenset(labels.items())))


def submission(*statement_ids: str, source: str = "players") -> Submission:
    items = tuple(Item(one, 1, None, Decision(InputOutcome.APPLIED)) for one in statement_ids)
    return Submission(source, b"", 0, items)


BORN = [
    *(
        ("pointsman_inputs_total", {"source": source, "result": result})
        for source, result in product(
            ("players", "log"), (*InputOutcome, "duplicate", "conflict", "refused")
        )
    ),
    *(
        ("pointsman_deliveries_total", {"answer": answer})
        for answer in (*RequestOutcome, "not_sent")
    ),
    *(
        ("pointsman_mutations_total", {"kind": kind, "verdict": verdict})
        for kind, verdict in product(TargetKind, Verdict)
    ),
    *(
        ("pointsman_desired", {"kind": kind, "state": state})
        for kind, state in product(TargetKind, ("dirty", "parked"))
    ),
    *(("pointsman_arrival_to_platform_seconds_count", {"kind": kind}) for kind in TargetKind),
    *(
        ("pointsman_audit_findings_total", {"place": "other", "result": result})
        for result in Audited
    ),
    *(
        (
            "pointsman_http_requests_total",
            {"source": source, "method": "POST", "route": "/xapi/statements", "status": status},
        )
        for source, status in product(("", "players"), ("200", "400", "401", "403", "500", "503"))
    ),
    ("pointsman_cmi5_oddities_total", {"kind": "no_session_id"}),
    ("pointsman_kafka_paused", {"source": "log"}),
    *(
        ("pointsman_kafka_resets_total", {"source": "log", "topic": "lessons", "reason": reason})
        for reason in ResetReason
    ),
    ("pointsman_completion_delivery_seconds_bucket", {"le": "60.0"}),
    ("pointsman_statements_pruned_total", {}),
]


@pytest.mark.parametrize(("name", "labels"), BORN)
def test_a_series_whose_labels_are_known_is_there_from_the_start(
    name: str, labels: dict[str, str]
) -> None:
    text = page(Metrics(KNOWN))

    assert value(text, name, **{key: str(one) for key, one in labels.items()}) == 0


def test_a_kafka_source_is_up_until_a_problem_is_told_and_once_it_is_solved() -> None:
    metrics = Metrics(KNOWN)
    up = [value(page(metrics), "pointsman_kafka_source_up", source="log")]
    for problems in ({"topic lessons": "the topic does not exist"}, {}):
        metrics.kafka_problems("log", problems)
        up.append(value(page(metrics), "pointsman_kafka_source_up", source="log"))
    assert up == [1, 0, 1]


def test_a_source_that_the_settings_do_not_name_makes_no_series_of_its_own() -> None:
    metrics = Metrics(KNOWN)

    for stranger in ("mallory", "x" * 500):
        metrics.inputs([submission(_ID, source=stranger)], [Receipt({InputOutcome.APPLIED: 1})])
        metrics.refused(stranger, 2)

    text = page(metrics)
    assert value(text, "pointsman_inputs_total", source="other", result="applied") == 2
    assert value(text, "pointsman_inputs_total", source="other", result="refused") == 4
    assert "mallory" not in text


def test_the_audit_has_series_for_five_hundred_places_and_each_begins_with_all_its_results() -> (
    None
):
    metrics = Metrics(KNOWN)

    for number in range(600):
        metrics.audit(AuditRecord(ReadBackPlace.course(str(number)), Audited.AGREES))

    text = page(metrics)
    found = "pointsman_audit_findings_total"
    assert value(text, found, place="course:499", result="agrees") == 1
    assert value(text, found, place="course:499", result="drift") == 0
    assert value(text, found, place="course:500", result="agrees") is None
    assert value(text, found, place="other", result="agrees") == 100


def test_state_that_was_delivered_is_not_shown_as_waiting_any_longer() -> None:
    metrics = Metrics(KNOWN)
    kind = TargetKind.COURSE_STATUS
    page(metrics, Backlog({kind: 3}, {kind: 2}, 1, 1, 4_000_000))

    text = page(metrics, Backlog({}, {}, 0, 0, None))

    assert value(text, "pointsman_desired", kind=kind, state="dirty") == 0
    assert value(text, "pointsman_desired", kind=kind, state="parked") == 0
    assert value(text, "pointsman_oldest_dirty_seconds") == 0


def test_a_store_that_does_not_answer_is_said_to_be_away_and_its_gauges_stay() -> None:
    metrics = Metrics(KNOWN)
    before = page(metrics, Backlog({}, {}, 3, 0, None))
    after = page(metrics, None)

    assert value(before, "pointsman_store_up") == 1
    assert value(after, "pointsman_store_up") == 0
    assert value(after, "pointsman_dead_letters") == 3


def test_the_budget_shows_what_is_left_and_what_a_whole_window_has() -> None:
    limits = QuotaLimits(points=1000, requests=100, guard=0.2, window=60)

    text = page(Metrics(KNOWN, limits), left=QuotaLeft(7, 3))

    shown = {name: value(text, f"pointsman_{name}") for name in ("points_left", "points_limit")}
    assert shown == {"points_left": 7, "points_limit": 1000}
    assert value(text, "pointsman_requests_left") == 3
    assert value(text, "pointsman_requests_limit") == 100


def test_the_lag_of_a_partition_is_told_only_while_it_is_ours() -> None:
    metrics = Metrics(KNOWN)
    metrics.kafka_assigned("log", {("lessons", 0), ("lessons", 1)})
    metrics.kafka_lag("log", "lessons", 0, 5)
    metrics.kafka_lag("log", "lessons", 1, 9)

    metrics.kafka_assigned("log", {("lessons", 1)})

    text = page(metrics)
    lag = "pointsman_kafka_lag"
    assert value(text, lag, source="log", topic="lessons", partition="0") is None
    assert value(text, lag, source="log", topic="lessons", partition="1") == 9


def delivered(*latencies: DeliveryLatency) -> DeliveryRecord:
    return DeliveryRecord(DeliveryOutcome("ana", answer=RequestOutcome.ANSWERED), latencies)


def test_a_completion_counts_from_its_own_arrival_and_what_completes_nothing_does_not() -> None:
    metrics = Metrics(KNOWN)
    kind = TargetKind.TOPIC_PROGRESS

    metrics.delivery(
        delivered(
            DeliveryLatency(kind, 100.0, 59.0, _ID),
            DeliveryLatency(kind, 100.0, 61.0, _ID),
            DeliveryLatency(kind, 100.0, None, _ID),
        )
    )

    text = page(metrics)
    assert value(text, "pointsman_completion_delivery_seconds_count") == 2
    assert value(text, "pointsman_completion_delivery_seconds_bucket", le="60.0") == 1
    assert value(text, "pointsman_arrival_to_platform_seconds_count", kind=kind) == 3


def exemplars(metrics: Metrics) -> dict[str, str]:
    text, content_type = metrics.show(_EMPTY, _LEFT, 0, out=False, accept=OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    return {
        f"{sample.name} {sample.labels.get('result') or sample.labels.get('le')}": (
            sample.exemplar.labels["statement_id"]
        )
        for family in text_string_to_metric_families(text.decode())  # type: ignore[no-untyped-call]
        for sample in family.samples
        if sample.exemplar is not None
    }


def test_openmetrics_has_the_statement_of_an_input_and_of_a_latency() -> None:
    metrics = Metrics(KNOWN)
    metrics.inputs([submission(_ID)], [Receipt({InputOutcome.APPLIED: 1})])
    metrics.inputs([submission("other")], [Receipt({}, conflicts=("taken",))])
    metrics.delivery(delivered(DeliveryLatency(TargetKind.COURSE_STATUS, 0.3, 0.2, _ID)))

    assert exemplars(metrics) == {
        "pointsman_inputs_total applied": _ID,
        "pointsman_inputs_total conflict": "taken",
        "pointsman_arrival_to_platform_seconds_bucket 0.5": _ID,
        "pointsman_completion_delivery_seconds_bucket 0.25": _ID,
        "pointsman_completion_stage_seconds_bucket 0.25": _ID,
    }


MIXED = {InputOutcome.APPLIED: 1, InputOutcome.DEAD: 1}


@pytest.mark.parametrize(
    ("sent", "receipt"),
    [
        (submission("a", "b"), Receipt(MIXED)),
        (submission("a", "b"), Receipt({InputOutcome.APPLIED: 1}, duplicates=1)),
        (submission("a" * 200), Receipt({InputOutcome.APPLIED: 1})),
        (
            Submission("players", b"", 0, (), (DeadLetter("no JSON", "topic", b"{"),)),
            Receipt({InputOutcome.DEAD: 1}),
        ),
    ],
    ids=["two outcomes", "a duplicate", "a long id", "no id"],
)
def test_no_statement_is_named_where_it_may_be_another_one(
    sent: Submission, receipt: Receipt
) -> None:
    metrics = Metrics(KNOWN)

    metrics.inputs([sent], [receipt])

    assert exemplars(metrics) == {}


def test_who_asks_for_text_gets_text_without_exemplars() -> None:
    metrics = Metrics(KNOWN)
    metrics.inputs([submission(_ID)], [Receipt({InputOutcome.APPLIED: 1})])

    text, content_type = metrics.show(_EMPTY, _LEFT, 0, out=False, accept="text/plain")

    assert content_type.startswith("text/plain; version=0.0.4")
    assert _ID.encode() not in text


def test_the_version_and_the_process_are_on_the_page() -> None:
    text = page(Metrics(KNOWN))

    assert value(text, "pointsman_build_info", version=__version__) == 1
    assert {"process_cpu_seconds_total", "process_open_fds", "python_info"} <= {
        name for name, _ in values(text)
    }
