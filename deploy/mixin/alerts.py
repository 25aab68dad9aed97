"""Alerts on what a person has to do something about, each with its next step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.mixin.objective import BURNS, UNCONFIRMED, UNCONFIRMED_AT_MOST, burning
from deploy.mixin.queries import increase, least, own, quantile, shared

#: where the runbook is; `--runbook` says where it is published
RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True, slots=True)
class Alert:
    """`hold` is how long it must be so; `step` is what the person does first."""

    name: str
    severity: str
    expr: str
    summary: str
    step: str
    hold: str = ""
    #: further labels, to tell alerts of one name apart
    window: str = ""

    def rule(self, runbook: str) -> dict[str, Any]:
        labels = {"severity": self.severity}
        return {
            "alert": self.name,
            "expr": self.expr,
            **({"for": self.hold} if self.hold else {}),
            "labels": labels | ({"window": self.window} if self.window else {}),
            "annotations": {
                "summary": self.summary,
                "description": self.step,
                "runbook_url": f"{runbook}#{self.name.lower()}",
            },
        }


def _answers(answer: str) -> str:
    return f'pointsman_deliveries_total{{answer="{answer}"}}'


def _inputs(result: str) -> str:
    return f'pointsman_inputs_total{{result="{result}"}}'


def _taken() -> str:
    """More than half of our points are gone, and we spent less than a fifth of them.

    Averages over ten windows: at the start of each nobody knows yet what others will spend.
    """
    limit = shared("pointsman_points_limit")
    left = least("avg_over_time(pointsman_points_left[10m])")
    spent = increase("pointsman_points_spent_total", "10m")
    return f"1 - {left} / {limit} > 0.5 and {spent} / 10 / {limit} < 0.2"


def _drift() -> str:
    """A place's series begin with the first look at it, perhaps between two scrapes."""
    drift = 'pointsman_audit_findings_total{result="drift"}'
    new = f"({own(drift, 'place')} unless {own(f'{drift} offset 1h', 'place')})"
    return f"({increase(drift, '1h', 'place')} > 0) or ({new} > 0)"


def alerts() -> list[Alert]:
    return [
        *_platform(),
        *_confirmations(),
        *_inputs_and_state(),
        *_guessing(),
        *_service(),
        *_kafka(),
        *_objective(),
    ]


def _platform() -> Iterator[Alert]:
    yield Alert(
        "PointsmanKeyRefused",
        "critical",
        f"{increase(_answers('key_refused'), '10m')} > 0",
        "The platform refuses the API key",
        "Nothing is delivered, and nothing is lost. Put a good key into platform.api_key and "
        "restart.",
    )
    yield Alert(
        "PointsmanPlatformUnreachable",
        "warning",
        f"{increase(_answers('unreachable'), '10m')}"
        f" > 0.5 * {increase('pointsman_deliveries_total', '10m')}",
        "More than half of the requests to the platform get no answer",
        "Nothing is lost, and it goes on by itself. See whether platform.url can be reached from "
        "here; the log's delivery lines have the platform's words.",
        hold="5m",
    )
    yield Alert(
        "PointsmanThrottled",
        "warning",
        f"{increase(_answers('throttled'), '15m')} > 0",
        "The platform answered 429: somebody else spends from the same quota",
        "Lower platform.limits.share, or correct platform.limits to what the platform allows. "
        "pointsman_requests_left is 0 until the platform takes requests again.",
    )
    yield Alert(
        "PointsmanQuotaTaken",
        "warning",
        _taken(),
        "{{ $value | humanizePercentage }} of our points are gone before we can spend them",
        "Another client of the instance spends them: find it, or lower platform.limits.share to "
        "what is really ours, so that we are not throttled.",
        # a fresh daemon has spent little in ten minutes, whatever it spends now
        hold="5m",
    )
    yield Alert(
        "PointsmanBehind",
        "warning",
        f"{shared('pointsman_oldest_dirty_seconds')} > 900",
        "Progress is {{ $value | humanizeDuration }} old and not on the platform",
        "Look at the budget dashboard: with pointsman_requests_left or pointsman_points_left near "
        "0 the quota is the limit, so raise platform.limits.share; else the platform does not "
        "answer.",
        hold="5m",
    )
    yield Alert(
        "PointsmanDrift",
        "warning",
        _drift(),
        "{{ $labels.place }} does not show what was delivered",
        "It was sent twice. `pointsman audit` has both values; end what changes them, then "
        "`pointsman parked retry --reason 'drift: '`.",
    )


def _confirmations() -> Iterator[Alert]:
    """Where [[confirmations]] are configured."""
    yield Alert(
        "PointsmanUnconfirmed",
        "warning",
        f"{UNCONFIRMED} > {UNCONFIRMED_AT_MOST:g} and {own('pointsman_confirmations_total')} >= 0",
        "{{ $value | humanizePercentage }} of completed courses were not confirmed in 5 minutes",
        "`pointsman confirmations stuck` names the learners with the stage. See that the "
        "platform's webhook reaches /confirmations/NAME, and that the feed is read.",
        hold="15m",
    )
    yield Alert(
        "PointsmanFeedBehind",
        "warning",
        f"time() - {shared('pointsman_feed_read_until_timestamp_seconds', 'source')} > 900",
        "The feed of {{ $labels.source }} was not read to its end for "
        "{{ $value | humanizeDuration }}",
        'The log\'s "the feed gives no page" says why, or there is more than '
        "confirmations.feed.requests_per_minute lets through. Nothing is lost meanwhile.",
        hold="5m",
    )


def _inputs_and_state() -> Iterator[Alert]:
    yield Alert(
        "PointsmanParked",
        "warning",
        shared('pointsman_desired{state="parked"}', "kind") + " > 0",
        "{{ $value }} states of {{ $labels.kind }} can't be delivered",
        "`pointsman parked list` has each with its reason: no token, a refused one, or something "
        "that the platform does not know.",
        hold="30m",
    )
    yield Alert(
        "PointsmanDeadLetters",
        "warning",
        f"{increase(_inputs('dead'), '15m', 'source')} > 0",
        "{{ $labels.source }} sends what can't be understood",
        "It is kept whole: `pointsman dead-letters list` has each with its reason.",
    )
    yield Alert(
        "PointsmanUnmatched",
        "info",
        f"{increase(_inputs('unmatched'), '1h', 'source')} > 0",
        "{{ $labels.source }} sends statements that no rule takes",
        "`pointsman unmatched` has the activities and proposes rules; then `pointsman replay`.",
    )
    yield Alert(
        "PointsmanStatementsRefused",
        "info",
        f"{increase(_inputs('refused'), '1h', 'source')} > 0",
        "Statements of {{ $labels.source }} are turned away",
        "The answer told the sender why, by field. pointsman_http_requests_total by status says "
        "whether they were invalid (400) or not the launch's to say (403).",
    )
    callbacks = 'route=~"/webhooks/.*|/scorm-cloud/.*",status="401"'
    yield Alert(
        "PointsmanCallbackUnauthorized",
        "warning",
        f"{increase(f'pointsman_http_requests_total{{{callbacks}}}', '15m', 'route')} > 0",
        "Callbacks at {{ $labels.route }} come with a bad signature or credential",
        "A secret was changed on one side, or a clock is wrong. The answer names the header; the "
        "sender repeats for hours, so mend it in time.",
    )


def _guessing() -> Iterator[Alert]:
    yield Alert(
        "PointsmanCredentialsGuessed",
        "warning",
        f"{increase('pointsman_failed_attempts_total', '15m')} > 100",
        "Somebody tries credentials that are not known",
        "The log's lines `request refused` with 401 and 429 have the routes. A sender with a "
        "secret of before a change does this too: compare its secret. Else block the addresses at "
        "the proxy; guessing is slowed meanwhile, and good credentials go on.",
    )


def _service() -> Iterator[Alert]:
    up = 'up{job=~".*pointsman.*"}'
    yield Alert(
        "PointsmanDown",
        "critical",
        f"{up} == 0 or absent(pointsman_build_info)",
        "pointsman can't be scraped",
        "Players get errors and should retry; Kafka keeps what comes meanwhile. See the end of "
        "its log for why it does not run.",
        hold="5m",
    )
    failed = 'status=~"5..",route!="/readyz"'
    yield Alert(
        "PointsmanRefusesRequests",
        "critical",
        f"{increase(f'pointsman_http_requests_total{{{failed}}}', '5m')} > 0",
        "Senders get 5xx",
        "Nothing of it was accepted, and most players do not repeat it. For 503 look at the disk "
        "or the database of the store, for 500 at the log's error_id.",
        hold="5m",
    )
    yield Alert(
        "PointsmanStoreAway",
        "critical",
        f"{least('pointsman_store_up', 'instance')} == 0",
        "The store does not answer {{ $labels.instance }}",
        "Nothing is taken or delivered until it does. See that the database runs, or that the "
        "volume of store.url is there and not full.",
        hold="2m",
    )
    yield Alert(
        "PointsmanConfigRejected",
        "warning",
        f"{least('pointsman_config_last_reload_successful', 'instance')} == 0",
        "{{ $labels.instance }} runs an older configuration than its file",
        "The file has a mistake, or changes what needs a restart: `pointsman status` says which. "
        "Correct it; it is read again by itself.",
        hold="2m",
    )
    yield Alert(
        "PointsmanStoreFilling",
        "warning",
        f"{least('pointsman_store_free_ratio', 'instance')} < 0.1",
        "{{ $value | humanizePercentage }} of the store's volume is free",
        "Enlarge the volume of store.url, or keep less: store.retention_days, "
        "launches.documents_days. Once it is full nothing is taken any longer.",
        hold="5m",
    )
    commits = quantile(0.99, "pointsman_store_commit_seconds", "5m", "instance")
    yield Alert(
        "PointsmanStoreSlow",
        "warning",
        f"{commits} > 0.5",
        "One commit in a hundred takes {{ $value | humanizeDuration }}",
        "Every sender waits for a commit. Look at the disk of the store, or at its database.",
        hold="10m",
    )


def _kafka() -> Iterator[Alert]:
    yield Alert(
        "PointsmanKafkaLag",
        "warning",
        f"{own('pointsman_kafka_lag', 'source')} > 10000",
        "{{ $labels.source }} is {{ $value }} messages behind",
        "More comes than is taken, or the source can't connect: look for \"kafka source "
        'interrupted" in the log.',
        hold="15m",
    )
    yield Alert(
        "PointsmanKafkaSourceDown",
        "warning",
        f"{least('pointsman_kafka_source_up', 'source')} == 0",
        "{{ $labels.source }} can't read all of its topics",
        'Brokers, group or a topic: /readyz and "kafka source can\'t read" in the log name which, '
        "and the next step. Kafka keeps the messages meanwhile.",
        hold="5m",
    )
    yield Alert(
        "PointsmanKafkaReset",
        "warning",
        f"{increase('pointsman_kafka_resets_total', '10m', 'source', 'topic', 'reason')} > 0",
        "{{ $labels.source }} gave up its place in {{ $labels.topic }} ({{ $labels.reason }})",
        "The topic was made anew, the cluster is another one, or retention was faster than we: see "
        "that it was meant, and compare the topic's retention with how long the source was down.",
    )
    yield Alert(
        "PointsmanKafkaPaused",
        "warning",
        f"{shared('pointsman_kafka_paused', 'source')} == 1",
        "{{ $labels.source }} has held its partitions back for ten minutes",
        "The store does not take what Kafka brings: look at its disk or database. Kafka keeps it "
        "meanwhile.",
        hold="10m",
    )


def _objective() -> Iterator[Alert]:
    for burn in BURNS:
        yield Alert(
            "PointsmanCompletionsLate",
            burn.severity,
            burning(burn),
            "{{ $value | humanizePercentage }} of completions take more than 60 s to the platform",
            f"Over {burn.long} the error budget burns at {burn.factor:g} times the rate that would "
            "use it up in 30 days. Look at the budget dashboard for what is short, the quota or "
            "the platform.",
            hold=burn.hold,
            window=burn.long,
        )
